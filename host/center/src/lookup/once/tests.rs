//! One question at a time, answers for a while. Time is tokio's, stopped.

use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;
use tokio::sync::Notify;

use super::*;

type Answers = Arc<Once<&'static str, u32>>;

const RIGHTS: Option<Standing> = Some(Standing(1));
const SECOND: Duration = Duration::from_secs(1);

fn once(most: usize) -> Answers {
    Arc::new(Once::new(most))
}

fn asked(standing: Option<Standing>) -> Asked {
    let deadline = Instant::now() + SECOND;
    Asked { standing, deadline, patience: deadline }
}

/// Asks for a number that is answered at once; says what came, and whether it was kept.
async fn ask(once: &Answers, key: &'static str, standing: Option<Standing>, answer: u32) -> (u32, bool) {
    let keep = |_: &u32| Some(SECOND);
    let (value, kept) = once.get(key, asked(standing), keep, async move { Ok(answer) }).await.unwrap();
    (*value, kept)
}

#[rstest]
#[case::at_once(0, 1, true)]
#[case::just_in_time(999, 1, true)]
#[case::over(1000, 2, false)]
#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_for_its_time(#[case] after_ms: u64, #[case] value: u32, #[case] kept: bool) {
    let once = once(10);
    assert_eq!(ask(&once, "a", RIGHTS, 1).await, (1, false));
    tokio::time::advance(Duration::from_millis(after_ms)).await;
    assert_eq!(ask(&once, "a", RIGHTS, 2).await, (value, kept));
}

#[rstest]
#[case::the_same(RIGHTS, RIGHTS, 1, true)]
#[case::another_grant(RIGHTS, Some(Standing(2)), 2, false)]
#[case::none_any_more(RIGHTS, None, 2, false)]
#[case::none_before(None, RIGHTS, 2, false)]
#[case::none_at_all(None, None, 2, false)]
#[tokio::test(start_paused = true)]
async fn what_was_read_under_other_rights_is_not_told(
    #[case] then: Option<Standing>,
    #[case] now: Option<Standing>,
    #[case] value: u32,
    #[case] kept: bool,
) {
    let once = once(10);
    ask(&once, "a", then, 1).await;
    assert_eq!(ask(&once, "a", now, 2).await, (value, kept));
}

#[tokio::test(start_paused = true)]
async fn many_who_ask_at_once_share_one_question() {
    let (once, count, told) = (once(10), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (once, count, told) = (Arc::clone(&once), Arc::clone(&count), Arc::clone(&told));
            let question = async move {
                count.fetch_add(1, Ordering::SeqCst);
                told.notified().await;
                Ok(7)
            };
            tokio::spawn(async move { once.get("a", asked(RIGHTS), |_| None, question).await.unwrap() })
        })
        .collect();
    told.notify_one();
    for task in tasks {
        assert_eq!(task.await.unwrap(), (Arc::new(7), false));
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[rstest]
#[case::that_fails(LookUpFailure::AuthExpired, async { Err(LookUpFailure::AuthExpired) })]
#[case::that_panics(broken(), async { panic!("a defect, on purpose") })]
#[case::that_hangs(LookUpFailure::Timeout, std::future::pending())]
#[tokio::test(start_paused = true)]
async fn a_question_that_goes_wrong_is_told_and_not_kept(
    #[case] failure: LookUpFailure,
    #[case] question: impl Future<Output = Result<u32, LookUpFailure>> + Send + 'static,
) {
    let once = once(10);
    let begun = Instant::now();
    let told = once.get("a", asked(RIGHTS), |_| Some(SECOND), question).await;
    assert_eq!(told, Err(failure));
    assert!(begun.elapsed() <= SECOND);
    assert_eq!(ask(&once, "a", RIGHTS, 2).await, (2, false));
}

#[tokio::test(start_paused = true)]
async fn who_waits_no_more_leaves_the_answer_to_the_others() {
    let (once, told) = (once(10), Arc::new(Notify::new()));
    let wait = Arc::clone(&told);
    let question = async move {
        wait.notified().await;
        Ok(7)
    };
    let short = Asked { patience: Instant::now() + SECOND / 10, ..asked(RIGHTS) };
    let impatient = once.get("a", short, |_| Some(SECOND), question).await;
    assert_eq!(impatient, Err(LookUpFailure::Timeout));
    told.notify_one();
    assert_eq!(ask(&once, "a", RIGHTS, 2).await, (7, false));
    assert_eq!(ask(&once, "a", RIGHTS, 2).await, (7, true));
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_on_its_way_is_told_to_who_waits_and_not_kept() {
    let (once, told) = (once(10), Arc::new(Notify::new()));
    let wait = Arc::clone(&told);
    let question = async move {
        wait.notified().await;
        Ok(1)
    };
    let mut before = Box::pin(once.get("a", asked(RIGHTS), |_| Some(SECOND), question));
    assert!(futures_util::poll!(&mut before).is_pending());
    once.forget(|key, value| *key == "a" && value.is_none());
    // Who asks from now on asks anew, and keeps what came then, though the older answer comes later.
    assert_eq!(ask(&once, "a", RIGHTS, 2).await, (2, false));
    told.notify_one();
    assert_eq!(before.await, Ok((Arc::new(1), false)));
    assert_eq!(ask(&once, "a", RIGHTS, 3).await, (2, true));
}

#[tokio::test(start_paused = true)]
async fn only_what_fits_is_forgotten() {
    let once = once(10);
    ask(&once, "a", RIGHTS, 1).await;
    ask(&once, "b", RIGHTS, 2).await;
    once.forget(|_, value| value == Some(&2));
    assert_eq!(ask(&once, "a", RIGHTS, 3).await, (1, true));
    assert_eq!(ask(&once, "b", RIGHTS, 4).await, (4, false));
}

#[tokio::test(start_paused = true)]
async fn no_more_is_kept_than_may_be_and_what_ends_first_goes_first() {
    let once = once(2);
    for key in ["a", "b", "c"] {
        ask(&once, key, RIGHTS, 1).await;
    }
    assert_eq!(once.state.lock().kept.len(), 2);
    assert_eq!(ask(&once, "b", RIGHTS, 2).await, (1, true));
    assert_eq!(ask(&once, "c", RIGHTS, 2).await, (1, true));
    assert_eq!(ask(&once, "a", RIGHTS, 2).await, (2, false));
}

#[tokio::test(start_paused = true)]
async fn what_is_over_does_not_stay_in_memory() {
    let once = once(10);
    ask(&once, "a", RIGHTS, 1).await;
    tokio::time::advance(SECOND).await;
    once.sweep();
    let state = once.state.lock();
    assert_eq!((state.kept.len(), state.ends.len(), state.under_way.len()), (0, 0, 0));
}
