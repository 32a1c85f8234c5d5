import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

export const version = manifest.version

/** The first line of `version`, `test` and the log. */
export const banner = `vmess ${version} (Node ${process.versions.node}, ${process.platform}/${process.arch})`
