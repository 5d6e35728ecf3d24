//! The suite against SQLite.

use std::sync::Arc;

use tidegate_store::sqlite::Sqlite;

use crate::suite;
use crate::world::{Directory, World};

macro_rules! case {
    ($name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let directory = Directory::new();
            let backend = Arc::new(Sqlite::open(&directory.file("tidegate.db")).unwrap());
            suite::$name(World::new(backend).await).await;
        }
    };
}

every_case!(case);
