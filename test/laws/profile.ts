/** The profile that the environment asks for, and mocha. */
import { type LawSet, checkAll as checkAllOf, paramsFrom, type Params } from '../../laws/LawSet.js'

export const params: Params = paramsFrom(process.env, () => Date.now() % 2 ** 31)

export const checkAll = (rules: LawSet): void => {
  checkAllOf(rules, params, {
    describe,
    it: Object.assign(
      (name: string, body: () => void) =>
        it(name, function () {
          if (process.env['LAWS'] === 'deep') this.timeout(0)
          body()
        }),
      { skip: (name: string) => it.skip(name) }
    )
  })
}
