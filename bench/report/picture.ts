/**
 * Bars, as SVG. Written by hand: the libraries that draw charts without a browser are either far larger than what they would
 * draw here or hardly used. It has a ground of its own, light or dark as who looks at it prefers, whatever page it is on.
 */

import type { Section } from './section.ts'

const width = 960
const margin = 24
const gap = 40
const column = (width - 2 * margin - gap) / 2
const labels = 132
const numbers = 48
const [barHeight, groupGap, titleHeight, panelGap] = [12, 8, 24, 20]

/** Ours in shades of one colour, the others in greys and browns that are told apart in both grounds. */
const own = ['#0969da', '#54aeff', '#8250df', '#bf87ff', '#1a7f37', '#4ac26b']
const other = ['#57606a', '#8c959f', '#bf8700', '#9a6700', '#bc4c00']

const style = `
  text { font: 11px system-ui, sans-serif; fill: #1f2328 }
  .said { text-anchor: end }
  .title { font-size: 13px; font-weight: 600 }
  .ground { fill: #ffffff }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ground { fill: #0d1117 } }`

interface Group {
  readonly at: string
  readonly values: Readonly<Record<string, number>>
  readonly digits: number
}

export function picture(sections: readonly Section[]): string {
  const colours = coloursOf(sections)
  const heights = [margin + titleHeight, margin + titleHeight]
  const drawn = panelsOf(sections).map(([title, groups]) => {
    const side = heights[0]! <= heights[1]! ? 0 : 1
    const { svg, height } = panel(title, groups, colours)
    const placed = `<g transform="translate(${margin + side * (column + gap)} ${heights[side]})">${svg}</g>`
    heights[side]! += height + panelGap
    return placed
  })
  const height = Math.max(...heights) + margin - panelGap
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>Costs of each program; shorter bars are better</title><style>${style}\n</style>`,
    `<rect class="ground" width="${width}" height="${height}" rx="8"/>`,
    legend(colours),
    `<text class="said" x="${width - margin}" y="${margin + 1}">shorter is better</text>`,
    ...drawn,
    '</svg>\n',
  ].join('\n')
}

function coloursOf(sections: readonly Section[]): ReadonlyMap<string, string> {
  const programs = new Map(sections.flatMap((section) => section.programs.map(({ name, own }) => [name, own] as const)))
  const counts = { own: 0, other: 0 }
  return new Map(
    [...programs].map(([name, isOwn]) => [
      name,
      isOwn ? own[counts.own++ % own.length]! : other[counts.other++ % other.length]!,
    ]),
  )
}

function panelsOf(sections: readonly Section[]): [string, Group[]][] {
  const panels = new Map<string, Group[]>()
  for (const { bar, values, digits } of sections.flatMap(({ rows }) => rows)) {
    if (bar) panels.set(bar.panel, [...(panels.get(bar.panel) ?? []), { at: bar.at, values, digits }])
  }
  return [...panels]
}

function panel(title: string, groups: readonly Group[], colours: ReadonlyMap<string, string>) {
  const most = Math.max(...groups.flatMap(({ values }) => Object.values(values)))
  const parts = [`<text class="title" y="13">${escaped(title)}</text>`]
  let y = titleHeight
  for (const { at, values, digits } of groups) {
    const bars = [...colours].filter(([name]) => values[name] !== undefined)
    const left = groups.some((group) => group.at !== '') ? labels : 0
    parts.push(`<text x="0" y="${y + (bars.length * barHeight) / 2 + 4}">${escaped(at)}</text>`)
    for (const [name, colour] of bars) {
      const length = Math.max(1, (values[name]! / most) * (column - left - numbers))
      parts.push(`<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="${barHeight - 2}" fill="${colour}"/>`)
      parts.push(
        `<text x="${(left + length + 4).toFixed(1)}" y="${y + barHeight - 3}">${values[name]!.toFixed(digits)}</text>`,
      )
      y += barHeight
    }
    y += groupGap
  }
  return { svg: parts.join('\n'), height: y - groupGap }
}

function legend(colours: ReadonlyMap<string, string>): string {
  let x = margin
  return [...colours]
    .map(([name, colour]) => {
      const item = `<rect x="${x}" y="${margin - 8}" width="10" height="10" fill="${colour}"/><text x="${x + 14}" y="${margin + 1}">${escaped(name)}</text>`
      x += 36 + name.length * 6.2
      return item
    })
    .join('\n')
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
