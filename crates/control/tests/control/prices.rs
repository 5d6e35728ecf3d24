//! Prices, for everybody.

use serde_json::json;

use crate::world::{NOBODY, World};

#[tokio::test]
async fn the_price_of_a_model_in_cents_for_a_token() {
    let world = World::new().await;
    let record = world.done(NOBODY, "GET", "/model-configs/pricing/openai/gpt-4o", json!({})).await;
    let want = json!({
        "request_token": {"price": 0.00025},
        "response_token": {"price": 0.001},
        "cache_read_input_token": {"price": 0.000125},
        "additional_units": {"web_search": {"price": 1}, "file_search": {"price": 0.25}},
    });
    assert_eq!(record["pay_as_you_go"], want);
    assert_eq!(record["batch_config"]["request_token"], json!({"price": 0.000125}));
    assert_eq!(record["currency"], "USD");
    let images = world.done(NOBODY, "GET", "/model-configs/pricing/openai/dall-e-3", json!({})).await;
    assert_eq!(images["pay_as_you_go"]["image"]["hd"]["1024x1024"], json!({"price": 8}));
    assert_eq!(images["pay_as_you_go"]["image"]["default"]["default"], json!({"price": 4}));
    assert_eq!(images.get("batch_config"), None);
    for uri in ["/model-configs/pricing/openai/no-such-model", "/model-configs/pricing/nobody/gpt-4o"] {
        let got = world.get(NOBODY, uri).await;
        assert_eq!((got.status, &got.body["error"]["code"]), (404, &json!("AB08")), "{uri}");
    }
}

#[tokio::test]
async fn the_prices_of_a_provider() {
    let world = World::new().await;
    let file = world.done(NOBODY, "GET", "/pricing/openai.json", json!({})).await;
    assert!(file.as_object().unwrap().len() > 50);
    let one = world.done(NOBODY, "GET", "/model-configs/pricing/openai/gpt-4o", json!({})).await;
    assert_eq!(file["gpt-4o"]["pricing_config"], one);
    assert_eq!(world.done(NOBODY, "GET", "/pricing/openai.json", json!({})).await, file, "and again");
    for uri in ["/pricing/openai", "/pricing/nobody.json", "/pricing/.json"] {
        assert_eq!(world.get(NOBODY, uri).await.status, 404, "{uri}");
    }
}
