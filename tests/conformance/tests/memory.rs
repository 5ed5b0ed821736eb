//! The suite over the memory adapter.

use std::process::ExitCode;
use std::time::Duration;

use async_trait::async_trait;
use conformance::{Capability, Fixture, Host};
use skyfold::{Ports, Result, Runtime, StreamName, Version};
use skyfold_memory::{Memory, VirtualClock};

struct InMemory;

#[async_trait]
impl Fixture for InMemory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn lacks(&self) -> &[Capability] {
        &[]
    }

    async fn open(&self) -> Result<Box<dyn Host>> {
        let clock = VirtualClock::new();
        Ok(Box::new(OneMemory { memory: Memory::with_clock(clock.clone()), clock }))
    }
}

struct OneMemory {
    memory: Memory,
    clock: VirtualClock,
}

#[async_trait]
impl Host for OneMemory {
    fn ports(&self) -> Ports {
        self.memory.ports()
    }

    async fn settle(&self, runtime: &Runtime) -> Result<()> {
        self.memory.settle(runtime).await
    }

    async fn spoil(&self, stream: &StreamName, first: Version) -> Result<()> {
        self.memory.spoil(stream, first)
    }

    async fn pass(&self, duration: Duration) -> Result<()> {
        self.clock.advance(duration);
        Ok(())
    }
}

fn main() -> ExitCode {
    conformance::run(InMemory)
}
