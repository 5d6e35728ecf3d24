//! The scripts' arithmetic against integers of 128 bits.

use crate::world::Chance;
use tidegate_testkit::Redis as Server;

const NUMBERS: &str = include_str!("../../src/lua/numbers.lua");
const SHARE: &str = "
local answers = {}
for i = 1, #ARGV, 3 do
  local quotient, rest = share(tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]))
  answers[#answers + 1] = string.format('%.0f', quotient)
  answers[#answers + 1] = string.format('%.0f', rest)
end
return answers";

/// Amounts below 2^50, times, and windows or amounts to divide by.
fn some(chance: &mut Chance) -> (u64, u64, u64) {
    let below = |chance: &mut Chance, bits: u64| {
        let bits = 1 + chance.below(bits);
        chance.below(1 << bits)
    };
    (below(chance, 50), below(chance, 53), 1 + below(chance, 50))
}

#[tokio::test]
async fn products_that_do_not_fit_are_divided_exactly() {
    let server = Server::start();
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let chance = &mut Chance(7);
    let mut large = 0;
    for _ in 0..40 {
        let cases: Vec<_> = std::iter::repeat_with(|| some(chance))
            .filter(|(a, b, by)| u128::from(*a) * u128::from(*b) / u128::from(*by) < 1 << 53)
            .take(100)
            .collect();
        let mut command = redis::cmd("EVAL");
        command.arg(format!("{NUMBERS}\n{SHARE}")).arg(0);
        cases.iter().for_each(|(a, b, by)| _ = command.arg(a).arg(b).arg(by));
        let answers: Vec<String> = command.query_async(&mut connection).await.unwrap();
        for ((a, b, by), answer) in cases.iter().zip(answers.chunks(2)) {
            let product = u128::from(*a) * u128::from(*b);
            let (quotient, rest) = (product / u128::from(*by), product % u128::from(*by));
            assert_eq!(answer, [quotient.to_string(), rest.to_string()], "{a} * {b} / {by}");
            large += u64::from(product > 1 << 53);
        }
    }
    assert!(large > 500, "only {large} did not fit");
}
