/** Inferred types are readable: each constant of displayed.ts is shown as the comment above it says. */
import { join } from 'node:path'
import { expect } from 'chai'
import ts from 'typescript'
import { root } from '../support/program.js'

interface Shown {
  readonly name: string
  readonly promised: string
  readonly shown: string
}

const shownIn = (file: string): ReadonlyArray<Shown> => {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined }
  )
  const program = ts.createProgram([file], config?.options ?? {})
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  if (source === undefined) throw new Error(`there is no ${file}`)
  const found: Array<Shown> = []
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue
    const comments = ts.getLeadingCommentRanges(source.text, statement.pos) ?? []
    const comment = comments.at(-1)
    const declaration = statement.declarationList.declarations[0]
    if (comment === undefined || declaration === undefined) continue
    found.push({
      name: declaration.name.getText(),
      promised: source.text.slice(comment.pos, comment.end).replace(/^\/\/ /, ''),
      shown: checker.typeToString(
        checker.getTypeAtLocation(declaration.name),
        declaration,
        ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope
      )
    })
  }
  return found
}

describe('inferred types', () => {
  let all: ReadonlyArray<Shown> = []

  before(() => {
    all = shownIn(join(root, 'test/types/displayed.ts'))
  }).timeout(60_000)

  it('are shown without helper types', () => {
    expect(all).to.have.length.above(10)
    const text = (of: (shown: Shown) => string) => all.map((one) => `${one.name}: ${of(one)}`)
    expect(text(({ shown }) => shown)).to.deep.equal(text(({ promised }) => promised))
  })
})
