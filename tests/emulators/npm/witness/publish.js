// Publishes the CloudEvents of its input to a topic, as Microsoft's client of Event Grid does, and
// says what a strict reader of CloudEvents makes of each.
//
//     node publish.js URL KEY

const { AzureKeyCredential, EventGridPublisherClient } = require('@azure/eventgrid');
const { CloudEvent } = require('cloudevents');
const { readFileSync } = require('node:fs');

const [endpoint, key] = process.argv.slice(2);
const KNOWN = ['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype',
  'dataschema', 'data'];

/// An event as the client takes it.
function sent(event) {
  const extensionAttributes =
    Object.fromEntries(Object.entries(event).filter(([name]) => !KNOWN.includes(name)));
  const { id, source, type, subject, time, datacontenttype, dataschema, data } = event;
  return { id, source, type, subject, time: time && new Date(time), datacontenttype, dataschema,
    data, extensionAttributes };
}

async function main() {
  const events = JSON.parse(readFileSync(0, 'utf8'));
  const read = events.map((event) => {
    // It throws if the event is none.
    const { id, source, type } = new CloudEvent(event, true);
    return { id, source, type };
  });
  const options = { allowInsecureConnection: true };
  const client =
    new EventGridPublisherClient(endpoint, 'CloudEvent', new AzureKeyCredential(key), options);
  await client.send(events.map(sent));
  console.log(JSON.stringify(read));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
