/** Order statistics of samples. */

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  /** Half the width of the middle half, as a part of the median. */
  readonly spread: number
  readonly samples: ReadonlyArray<number>
}

const quantile = (sorted: ReadonlyArray<number>, part: number): number => {
  const position = (sorted.length - 1) * part
  const low = sorted[Math.floor(position)] ?? NaN
  const high = sorted[Math.ceil(position)] ?? NaN
  return low + (high - low) * (position - Math.floor(position))
}

export const summary = (samples: ReadonlyArray<number>): Summary => {
  const sorted = [...samples].sort((a, b) => a - b)
  const median = quantile(sorted, 0.5)
  return {
    median,
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
    spread: (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2 / median,
    samples
  }
}

/** The ratio of samples taken side by side: what slows the machine down for a while slows both. */
export const ratio = (samples: ReadonlyArray<number>, others: ReadonlyArray<number>): Summary =>
  summary(samples.map((sample, round) => sample / (others[round] ?? NaN)))
