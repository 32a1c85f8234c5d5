import { version } from '../app/version.ts'

export { version }

/** The first line of `version`, `test` and the log. */
export const banner = `vmess ${version} (Node ${process.versions.node}, ${process.platform}/${process.arch})`
