// Mocha's spec reporter with one more line, always the very last: `N passed, N failed` (`, N skipped`).
import Mocha from 'mocha'

const { reporters, Runner } = Mocha
const { Base, Spec } = reporters

export default class ClosingLine extends Spec {
  /** @param {Mocha.Runner} runner @param {Mocha.MochaOptions} options */
  constructor(runner, options) {
    super(runner, options)
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats
      Base.consoleLog(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`)
    })
  }
}
