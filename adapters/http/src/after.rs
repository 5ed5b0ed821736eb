use std::time::Duration;

use skyfold::After;

use crate::options::Options;
use crate::problem::Problem;
use crate::query_string::QueryString;

/// The names of the parameters that every reader may give.
pub(crate) const PARAMETERS: [&str; 2] = ["after", "wait"];

/// Takes the event that the answer must show, and how long to wait for that.
pub(crate) fn take(query: &mut QueryString, options: &Options) -> Result<Option<After>, Problem> {
    let (event, wait) = (query.take("after")?, query.take("wait")?);
    let Some(event) = event else {
        return match wait {
            None => Ok(None),
            Some(_) => Err(Problem::invalid("the parameter wait needs after: what to wait for")),
        };
    };
    let event = event.parse().map_err(|error| {
        let problem = Problem::from(error);
        let detail = format!("the parameter after: {}", problem.detail);
        problem.with_detail(detail)
    })?;
    let wait = wait.map_or(Ok(options.wait_max), |text| seconds(&text, options.wait_max))?;
    Ok(Some(After { event, wait }))
}

fn seconds(text: &str, max: Duration) -> Result<Duration, Problem> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|wait| *wait <= max).ok_or_else(|| {
        let max = max.as_secs_f64();
        Problem::invalid(format!("the parameter wait is {text:?}, not 0 to {max} seconds"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Option<After>, Problem> {
        take(&mut QueryString::parse(Some(query))?, &Options::default())
    }

    #[test]
    fn a_reader_waits_as_long_as_it_says_or_as_long_as_it_may() {
        let wait = |query: &str| read(query).unwrap().unwrap().wait;
        assert_eq!(wait("after=order-42@3"), Options::default().wait_max);
        assert_eq!(wait("after=order-42@3&wait=0"), Duration::ZERO);
        assert_eq!(wait("wait=2.5&after=order-42@3"), Duration::from_millis(2500));
        assert_eq!(read("").unwrap(), None);
    }

    #[test]
    fn a_wait_that_makes_no_sense_is_refused() {
        for query in [
            "wait=1",
            "after=",
            "after=order-42",
            "after=order-42@0",
            "after=order-a/b@1",
            "after=order-42@3&after=order-42@3",
            "after=order-42@3&wait=",
            "after=order-42@3&wait=-1",
            "after=order-42@3&wait=11",
            "after=order-42@3&wait=NaN",
            "after=order-42@3&wait=inf",
            "after=order-42@3&wait=1e300",
        ] {
            assert!(read(query).is_err(), "{query}");
        }
    }
}
