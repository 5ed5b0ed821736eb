use std::collections::VecDeque;

use crate::chaos::{Chaos, IN_A_ROW_MAX};
use crate::inbox::{Crowding, Item, Portion};

/// How many copies of one delivery come, at most.
const COPIES_MAX: usize = 4;

/// For how many rounds a delivery is held back, at most.
const DELAY_ROUNDS_MAX: usize = 8;

/// One delay in so many is a long one.
const LONG_DELAY_ONE_IN: usize = 8;

/// For how many rounds a delivery is held back that is delayed long: far beyond what else there is
/// to do.
const LONG_DELAY_ROUNDS: (usize, usize) = (32, 256);

/// After how many rounds a delivery that was lost is sent again.
const LOSS_ROUNDS: (usize, usize) = (2, 16);

/// How many deliveries a function is given at once, at most: few, so that there are many batches.
const DELIVERIES_MAX: usize = 6;

/// How many batches of deliveries run into each other in one function, at most.
const BATCHES_MAX: usize = 4;

/// How many commands of one category do, at most.
const COMMANDS_MAX: usize = 4;

/// What happens to deliveries on their way: the faults of a bus and of a queue.
impl Chaos {
    /// Puts `item` on its way to `waiting`, in the round `round`.
    pub(crate) fn deliver(&self, waiting: &mut VecDeque<Item>, item: Item, round: u64) {
        let mut copies = 1;
        while copies < COPIES_MAX && self.duplicates() {
            copies += 1;
        }
        for _ in 0..copies {
            let mut copy = item.clone();
            if self.happens(|faults| faults.delay, |counts| &mut counts.delayed) {
                copy.from_round = round + self.delay();
            }
            match self.happens(|faults| faults.reorder, |counts| &mut counts.reordered) {
                true => waiting.insert(self.number(0, waiting.len()), copy),
                false => waiting.push_back(copy),
            }
        }
    }

    /// Loses some of what is `waiting` and ready in the round `round`: it will be sent again.
    pub(crate) fn lose(
        &self,
        waiting: &mut VecDeque<Item>,
        ready: impl Fn(&Item) -> bool,
        round: u64,
    ) {
        if self.is_calm() {
            return;
        }
        for item in waiting.iter_mut().filter(|item| item.losses < IN_A_ROW_MAX && ready(item)) {
            if self.happens(|faults| faults.drop, |counts| &mut counts.dropped) {
                item.losses += 1;
                item.from_round = round + self.rounds(LOSS_ROUNDS);
            }
        }
    }

    /// What of `item`, which was handled, comes again in the round `round` or later.
    pub(crate) fn echo(&self, item: &Item, round: u64) -> Option<Item> {
        if item.echoes >= IN_A_ROW_MAX || !self.duplicates() {
            return None;
        }
        let (echoes, from_round) = (item.echoes + 1, round + self.delay());
        Some(Item { echoes, from_round, ..Item::new(item.work.clone()) })
    }

    /// How much a function is given at once.
    pub(crate) fn portion(&self) -> Portion {
        match self.is_calm() {
            true => Portion::USUAL,
            false => Portion {
                deliveries_max: self.number(1, DELIVERIES_MAX),
                batches_max: self.number(1, BATCHES_MAX),
                commands_max: self.number(1, COMMANDS_MAX),
                crowding: Crowding::Allowed,
            },
        }
    }

    fn duplicates(&self) -> bool {
        self.happens(|faults| faults.duplicate, |counts| &mut counts.duplicated)
    }

    fn delay(&self) -> u64 {
        match self.number(1, LONG_DELAY_ONE_IN) {
            1 => self.rounds(LONG_DELAY_ROUNDS),
            _ => self.rounds((1, DELAY_ROUNDS_MAX)),
        }
    }

    fn rounds(&self, (least, most): (usize, usize)) -> u64 {
        self.number(least, most) as u64
    }
}
