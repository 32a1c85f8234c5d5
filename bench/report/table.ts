import type { Table } from './section.ts'

/** Plain text: the first column to the left, numbers to the right. */
export function textTable({ header, rows }: Table): string {
  const lines = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  const print = (line: readonly string[]) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
  return [print(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(print)].join('\n')
}

/** The same in Markdown. */
export function markdownTable({ header, rows }: Table): string {
  const print = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [print(header), print(header.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(print)].join('\n')
}
