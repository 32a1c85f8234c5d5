import { version } from '../app/version.ts'
import { describeTwin } from '../crypto/twin.ts'

export { version }

const { bun, node } = process.versions

/** The first line of `version`, `test` and the log. */
export const banner = `vmess ${version} (${bun === undefined ? `Node ${node}` : `Bun ${bun}`}, ${process.platform}/${process.arch})`

/** What `version` prints. */
export const versionText = (): string => `${banner}\nnative twin: ${describeTwin()}`
