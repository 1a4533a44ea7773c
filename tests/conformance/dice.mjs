// SplitMix-like, so that a run can be repeated.
export function dice(seed) {
  let state = seed;
  const random = () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
  return { random, between: (low, high) => low + random() * (high - low) };
}
