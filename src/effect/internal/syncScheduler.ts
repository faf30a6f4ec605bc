/**
 * A queue that is driven by hand: for runs that must end before their caller goes on.
 *
 * @internal
 */
import { host, type Scheduler, type Turn } from '../Scheduler.js'

export class SyncScheduler implements Scheduler {
  readonly maxSteps: number
  private head: Turn | null
  private tail: Turn | null

  constructor() {
    this.maxSteps = host.maxSteps
    this.head = null
    this.tail = null
  }

  readonly schedule = (turn: Turn): void => {
    turn.next = null
    if (this.tail === null) this.head = turn
    else this.tail.next = turn
    this.tail = turn
  }

  readonly alone = (): boolean => this.head === null

  /** Runs what is ready until nothing is. */
  drain(): void {
    for (let turn = this.head; turn !== null; turn = this.head) {
      this.head = turn.next
      if (this.head === null) this.tail = null
      turn.next = null
      turn.run()
    }
  }
}

let idle: SyncScheduler | null = new SyncScheduler()

/** A queue that nobody uses; runs are nested rarely, so one is kept. */
export const borrowQueue = (): SyncScheduler => {
  const queue = idle ?? new SyncScheduler()
  idle = null
  return queue
}

export const giveBackQueue = (queue: SyncScheduler): void => {
  idle = queue
}
