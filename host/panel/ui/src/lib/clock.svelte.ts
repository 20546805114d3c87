// One clock for all timers of the page.

let now = $state(Date.now());
setInterval(() => {
  now = Date.now();
}, 1000);

export const present = (): number => now;
