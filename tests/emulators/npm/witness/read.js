// What Microsoft's client of Cosmos DB finds in the containers of a database: every item without
// what the service adds, ordered by partition and id, and the ids of the change feed in its order.
//
//     node read.js URL DATABASE PARTITION-FIELD CONTAINER

const { CosmosClient, ChangeFeedStartFrom } = require('@azure/cosmos');

const [endpoint, database, field, name] = process.argv.slice(2);

function own(item) {
  return Object.fromEntries(Object.entries(item).filter(([key]) => !key.startsWith('_')));
}

async function main() {
  const client = new CosmosClient({ endpoint, key: 'c2VjcmV0' });
  const container = client.database(database).container(name);
  const { resources } = await container.items.readAll().fetchAll();
  const items = resources.map(own).sort((one, other) =>
    `${one[field]}\n${one.id}` < `${other[field]}\n${other.id}` ? -1 : 1);
  const changes = [];
  const feed = container.items.getChangeFeedIterator({
    changeFeedStartFrom: ChangeFeedStartFrom.Beginning(),
  });
  for (let empty = 0; empty < 8;) {
    const page = await feed.readNext();
    if (page.statusCode === 304 || page.count === 0) {
      empty += 1;
    } else {
      empty = 0;
      changes.push(...page.result.map((item) => `${item[field]}@${item.id}`));
    }
  }
  console.log(JSON.stringify({ items, changes }));
  client.dispose();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
