/**
 * A row of the benchmark: one piece of work, written once for each system, which all must give the same result.
 */

export const systemNames = ['millrace', 'effect', 'native', 'fpts'] as const
export type SystemName = (typeof systemNames)[number]

/**
 * For work that must be set up first: when a workload starts and stops the watch, only the time in between counts.
 */
export interface Watch {
  readonly start: () => void
  readonly stop: () => void
}

/** Does the work once. What suspends gives a promise, what does not gives the result at once. */
export type Workload = (watch: Watch) => number | Promise<number>

export interface Row {
  readonly id: string
  readonly title: string
  /** How many operations one run of a workload does. */
  readonly operations: number
  /** The bar: time of Millrace by time of effect, at most. */
  readonly target?: number
  /** What every system must give. */
  readonly expected: number
  /** What the native system does. */
  readonly native?: string
  readonly systems: Readonly<Partial<Record<SystemName, Workload>>>
  /** Fewer operations for a system whose cost grows faster than their number; its workload does only so many. */
  readonly fewer?: Readonly<
    Partial<Record<SystemName, { readonly operations: number; readonly expected: number }>>
  >
}
