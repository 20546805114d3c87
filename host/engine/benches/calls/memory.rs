//! What loaded plugins hold while nobody calls them.

use crate::world::World;

const COUNT: u32 = 1_000;

/// Anonymous memory for each of many loaded plugins, in bytes, and how many there were. Each is another file, so that
/// nothing is shared but the runtime. Machine code is mapped from files: the kernel can drop it, so it is not counted.
pub async fn idle(world: &World) -> (f64, u32) {
    // Compiling a thousand files would take minutes and measure nothing: one file is compiled, its code is loaded again
    // and again. The maps are apart all the same.
    let first = world.load_another(0).await;
    let before = anonymous();
    let mut plugins = Vec::with_capacity(COUNT as usize);
    for _ in 0..COUNT {
        plugins.push(world.load_another(0).await);
    }
    let after = anonymous();
    drop((plugins, first));
    (after.saturating_sub(before) as f64 / f64::from(COUNT), COUNT)
}

/// `Anonymous` of `/proc/self/smaps_rollup`, in bytes.
fn anonymous() -> u64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = rollup.lines().find(|line| line.starts_with("Anonymous:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
