use std::time::Duration;

use tidegate_limits_redis::{Changes, Time};

use crate::world::{options, replica};
use tidegate_testkit::Redis as Server;

async fn hear(receiver: &mut tokio::sync::watch::Receiver<u64>, seq: u64) {
    let heard = receiver.wait_for(|known| *known >= seq);
    let heard = *tokio::time::timeout(Duration::from_secs(120), heard).await.unwrap().unwrap();
    assert_eq!(heard, seq);
}

#[tokio::test]
async fn a_change_is_heard_by_all_and_by_those_who_come_later() {
    let mut server = Server::start();
    let (one, other) =
        (replica(options(&server, Time::Server)).await, replica(options(&server, Time::Server)).await);
    let (here, there) = (Changes::of(one.store()), Changes::of(other.store()));
    let (mut a, mut b) = (here.subscribe(), there.subscribe());
    here.publish(7).await.unwrap();
    hear(&mut a, 7).await;
    hear(&mut b, 7).await;
    // What is older is nothing new.
    there.publish(3).await.unwrap();
    there.publish(8).await.unwrap();
    hear(&mut a, 8).await;
    hear(&mut Changes::of(one.store()).subscribe(), 8).await;
    server.kill();
    here.publish(9).await.unwrap_err();
    server.restart();
    one.store().ready().await;
    here.publish(10).await.unwrap();
    hear(&mut b, 10).await;
}
