//! The answer of a store operation.
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::StoreError;

/// The answer to an operation that has already been handed to the store.
///
/// A concrete type around a boxed future, and not `async fn` in the trait: the trait stays object-safe
/// (`Arc<dyn Store>`) without a macro, an operation begins when it is called and not when it is first polled, and
/// dropping the answer (the call hung up) never leaves a write half done: it is done or refused, only unheard.
#[must_use = "an answer that nobody awaits is a write nobody may promise"]
pub struct Pending<T>(Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>);

impl<T: Send + 'static> Pending<T> {
    /// For backends: the work is under way in this future or behind it.
    pub fn new(work: impl Future<Output = Result<T, StoreError>> + Send + 'static) -> Self {
        Self(Box::pin(work))
    }

    /// An answer known at once.
    pub fn ready(answer: Result<T, StoreError>) -> Self {
        Self::new(std::future::ready(answer))
    }

    /// Waits on a plain thread. Inside an async task use `.await`: this one would block it.
    ///
    /// # Errors
    /// What the operation answers.
    pub fn wait(self) -> Result<T, StoreError> {
        struct Unpark(std::thread::Thread);
        impl std::task::Wake for Unpark {
            fn wake(self: std::sync::Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
        let mut context = Context::from_waker(&waker);
        let mut work = self.0;
        loop {
            match work.as_mut().poll(&mut context) {
                Poll::Ready(answer) => return answer,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<T> std::fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pending")
    }
}
