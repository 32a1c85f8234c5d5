// Writes docs/errors.md from the one table of codes: node scripts/write-errors-doc.mjs (after a build).
import { writeFileSync } from 'node:fs'
import { errorCodes } from '../dist/core/errors.js'

const rows = Object.keys(errorCodes)
  .sort()
  .map((code) => `| \`${code}\` | ${errorCodes[code].fault} | ${errorCodes[code].text} |`)
const text = `# Errors

Every error is a \`ProxyError\` with a stable \`code\`, a \`fault\` and sometimes a \`hint\` for people. Match on \`code\`: \`instanceof\`
fails across copies of a package. \`fault\` says whose doing it was: \`local\` (this program or its caller), \`remote\` (the peer broke
the rules), \`network\`, \`config\`, \`policy\` (a limit or a setting said no).

| code | fault | meaning |
|---|---|---|
${rows.join('\n')}
`
writeFileSync(new URL('../docs/errors.md', import.meta.url), text)
