/** The table that a person reads. */
import type { CompileTime } from './compile.js'
import type { Measured } from './measure.js'
import type { MemoryReport } from './memory.js'
import { systemNames } from './row.js'
import type { Size } from './size.js'
import type { StartupReport } from './startup.js'
import type { Summary } from './statistics.js'

const number = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)

const cell = (value: Summary | undefined): string =>
  value === undefined ? '-' : `${number(value.median)} ±${(value.spread * 100).toFixed(0).padStart(2)}%`

const line = (cells: ReadonlyArray<string>): string => {
  const [id = '', title = '', ...rest] = cells
  const widths = [13, 13, 13, 13, 8, 10, 8, 7, 8, 8]
  return [id.padEnd(4), title.padEnd(35), ...rest.map((text, i) => text.padStart(widths[i] ?? 0))]
    .join(' ')
    .trimEnd()
}

export const heading = (): string =>
  [
    'Nanoseconds an operation (median, ± half of the middle half); the ratios compare samples of the same round.',
    line(['id', 'workload', ...systemNames, '/effect', 'range', 'fastest', 'target', '/native', '/fpts'])
  ].join('\n')

export const rowLine = ({ row, systems, toEffect, bestToEffect, toNative, toFpts, met }: Measured): string =>
  line([
    row.id,
    row.title,
    ...systemNames.map((name) => cell(systems[name])),
    toEffect === undefined ? '-' : toEffect.median.toFixed(2),
    toEffect === undefined ? '-' : `${toEffect.min.toFixed(2)}-${toEffect.max.toFixed(2)}`,
    bestToEffect === undefined ? '-' : bestToEffect.toFixed(2),
    row.target === undefined ? '-' : row.target.toFixed(2),
    toNative === undefined ? '-' : toNative.median.toFixed(2),
    toFpts === undefined ? '-' : toFpts.median.toFixed(2),
    met === false ? '  MISSED' : ''
  ])

export const rowsSummary = (measured: ReadonlyArray<Measured>): string => {
  const judged = measured.filter(({ met }) => met !== undefined)
  const missed = judged.filter(({ met }) => met === false)
  const ahead = (of: (one: Measured) => Summary | undefined) =>
    measured.filter((one) => (of(one)?.median ?? 0) > 1)
  const native = ahead(({ toNative }) => toNative)
  const effect = ahead(({ toEffect }) => toEffect)
  const fpts = ahead(({ toFpts }) => toFpts)
  const ids = (rows: ReadonlyArray<Measured>): string => rows.map(({ row }) => row.id).join(', ')
  return [
    `${String(judged.length - missed.length)} of ${String(judged.length)} targets met` +
      (missed.length === 0 ? '' : `; missed: ${ids(missed)}`),
    ...(effect.length === 0 ? [] : [`effect is ahead in: ${ids(effect)}`]),
    ...(native.length === 0
      ? []
      : [
          `native is ahead in: ${native.map(({ row }) => `${row.id} (${row.native ?? 'native'})`).join(', ')}`
        ]),
    ...(fpts.length === 0 ? [] : [`fp-ts is ahead in: ${ids(fpts)}`])
  ].join('\n')
}

export const memoryTable = (report: MemoryReport): string => {
  const widths = [16, 16, 16, 14, 20]
  const row = (cells: ReadonlyArray<string>): string =>
    cells.map((text, i) => (i === 0 ? text.padEnd(10) : text.padStart(widths[i - 1] ?? 0))).join(' ')
  const figure = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(0))
  return [
    `Memory: ${String(report.fibers)} blocked fibers, a process for each system and case.`,
    row(['system', 'B on never', 'B inside gen', 'B inside scope', 'spawn ns', 'KB after 1M steps']),
    ...report.systems.map(({ system, never, gen, scope, growth }) =>
      row([
        system,
        figure(never?.bytes),
        figure(gen?.bytes),
        figure(scope?.bytes),
        figure(never?.spawn),
        figure(growth === undefined ? undefined : growth / 1024)
      ])
    ),
    ...report.targets.map(
      ({ what, value, target, met }) =>
        `${what}: ${value.toFixed(2)}, target ${target.toFixed(2)}${met ? '' : '  MISSED'}`
    )
  ].join('\n')
}

const columns = (widths: ReadonlyArray<number>, cells: ReadonlyArray<string>): string =>
  cells
    .map((text, i) => (i < 2 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
    .join(' ')
    .trimEnd()

const missed = (met: boolean | undefined): string => (met === false ? '  MISSED' : '')

export const sizeTable = (sizes: ReadonlyArray<Size>): string => {
  const widths = [30, 9, 9, 10, 10, 8]
  return [
    'Size: bytes of a bundle, minified and gzipped.',
    columns(widths, ['program', 'system', 'bundler', 'minified', 'gzipped', 'target']),
    ...sizes.map(({ title, system, bundler, minified, gzipped, target, met }) =>
      columns(widths, [
        title,
        system,
        bundler,
        String(minified),
        String(gzipped),
        target === undefined ? '-' : String(target),
        missed(met)
      ])
    )
  ].join('\n')
}

export const startupTable = ({ floor, scripts }: StartupReport): string => {
  const widths = [30, 9, 9, 8, 8, 8]
  const ms = (value: number): string => value.toFixed(1)
  return [
    `Start-up: ms of a process over an empty module, which takes ${ms(floor.median)} ms.`,
    columns(widths, ['program', 'system', 'from', 'median', 'least', 'target']),
    ...scripts.map(({ title, system, bundled, overFloor, target, met }) =>
      columns(widths, [
        title,
        system,
        bundled ? 'bundle' : 'modules',
        ms(overFloor.median),
        ms(overFloor.min),
        target === undefined ? '-' : String(target),
        missed(met)
      ])
    )
  ].join('\n')
}

export const compileTable = (times: ReadonlyArray<CompileTime>): string => {
  const widths = [10, 6, 15, 8, 9, 9]
  return [
    'Compile time: a program of 200 lines in the style of gen, without what a program pays that only imports the library.',
    columns(widths, ['system', 'lines', 'instantiations', 'types', 'check s', 'total s']),
    ...times.map(({ system, lines, program, importOnly }) =>
      columns(widths, [
        system,
        String(lines),
        String(program.instantiations - importOnly.instantiations),
        String(program.types - importOnly.types),
        (program.check.min - importOnly.check.min).toFixed(2),
        program.total.min.toFixed(2)
      ])
    )
  ].join('\n')
}
