/** The file that a thread of `workers` runs: beside this one, bundled or not; where that is not compiled, among those that are. */
export function workerEntry(): URL {
  const entry = new URL('./worker.js', import.meta.url)
  return import.meta.url.endsWith('.ts') ? new URL(entry.href.replace('/src/cli/', '/dist/cli/')) : entry
}
