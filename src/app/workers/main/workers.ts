import type { Workers } from '../../instance/launch.ts'
import { CrewControl } from './control.ts'
import { Crew } from './crew.ts'
import type { CrewOptions } from './options.ts'

/** Workers for a Launch: nothing runs before it starts. */
export function createWorkers(options: CrewOptions): Workers {
  const crew = new Crew(options)
  return { crew, control: (deps) => new CrewControl(deps, crew) }
}
