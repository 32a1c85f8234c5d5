import { version } from '../app/version.ts'
import { describeTwin } from '../crypto/twin.ts'

export { version }

/** The first line of `version`, `test` and the log. */
export const banner = `vmess ${version} (Node ${process.versions.node}, ${process.platform}/${process.arch})`

/** What `version` prints. */
export const versionText = (): string => `${banner}\nnative twin: ${describeTwin()}`
