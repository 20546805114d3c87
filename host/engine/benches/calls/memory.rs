//! What loaded plugins hold while nobody calls them.

use ramal_engine::Plugin;

use crate::world::World;

const TENANTS: u32 = 1_000;
/// Each is compiled, which takes its time.
const COMPONENTS: u32 = 100;

/// Anonymous memory in bytes for each of many tenants that use one component, and how many there were.
pub(crate) async fn of_tenants(world: &World) -> (f64, u32) {
    each(TENANTS, async |_| world.load_shared().await).await
}

/// The same for many components of one tenant. Nothing is shared but the runtime.
pub(crate) async fn of_components(world: &World) -> (f64, u32) {
    // Compiled beforehand: the buffers of the compiler's answer are not what is measured.
    for number in 1..=COMPONENTS {
        world.load_another(number).await;
    }
    each(COMPONENTS, async |number| world.load_another(number + 1).await).await
}

/// Machine code is mapped from files: the kernel can drop it, so it is not counted.
async fn each(count: u32, load: impl AsyncFn(u32) -> Plugin) -> (f64, u32) {
    let mut plugins = Vec::with_capacity(count as usize);
    let before = anonymous();
    for number in 0..count {
        plugins.push(load(number).await);
    }
    let after = anonymous();
    drop(plugins);
    (after.saturating_sub(before) as f64 / f64::from(count), count)
}

/// `Anonymous` of `/proc/self/smaps_rollup`, in bytes.
fn anonymous() -> u64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = rollup.lines().find(|line| line.starts_with("Anonymous:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
