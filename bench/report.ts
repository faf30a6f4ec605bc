/** The table that a person reads. */
import type { Measured } from './measure.js'
import type { MemoryReport } from './memory.js'
import { systemNames } from './row.js'
import type { Summary } from './statistics.js'

const number = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)

const cell = (value: Summary | undefined): string =>
  value === undefined ? '-' : `${number(value.median)} ±${(value.spread * 100).toFixed(0).padStart(2)}%`

const line = (cells: ReadonlyArray<string>): string => {
  const [id = '', title = '', ...rest] = cells
  const widths = [13, 13, 13, 13, 8, 10, 8, 7, 8]
  return [id.padEnd(4), title.padEnd(35), ...rest.map((text, i) => text.padStart(widths[i] ?? 0))]
    .join(' ')
    .trimEnd()
}

export const heading = (): string =>
  [
    'Nanoseconds an operation (median, ± half of the middle half); the ratios compare samples of the same round.',
    line(['id', 'workload', ...systemNames, '/effect', 'range', 'fastest', 'target', '/native'])
  ].join('\n')

export const rowLine = ({ row, systems, toEffect, bestToEffect, toNative, met }: Measured): string =>
  line([
    row.id,
    row.title,
    ...systemNames.map((name) => cell(systems[name])),
    toEffect === undefined ? '-' : toEffect.median.toFixed(2),
    toEffect === undefined ? '-' : `${toEffect.min.toFixed(2)}-${toEffect.max.toFixed(2)}`,
    bestToEffect === undefined ? '-' : bestToEffect.toFixed(2),
    row.target === undefined ? '-' : row.target.toFixed(2),
    toNative === undefined ? '-' : toNative.median.toFixed(2),
    met === false ? '  MISSED' : ''
  ])

export const rowsSummary = (measured: ReadonlyArray<Measured>): string => {
  const judged = measured.filter(({ met }) => met !== undefined)
  const missed = judged.filter(({ met }) => met === false)
  const ahead = measured.filter(({ toNative }) => toNative !== undefined && toNative.median > 1)
  return [
    `${String(judged.length - missed.length)} of ${String(judged.length)} targets met` +
      (missed.length === 0 ? '' : `; missed: ${missed.map(({ row }) => row.id).join(', ')}`),
    ...(ahead.length === 0
      ? []
      : [`native is ahead in: ${ahead.map(({ row }) => `${row.id} (${row.native ?? 'native'})`).join(', ')}`])
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
