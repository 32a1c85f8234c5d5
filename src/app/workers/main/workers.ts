import type { Workers } from '../../instance/launch.ts'
import { CrewControl } from './control.ts'
import { Crew, type CrewOptions } from './crew.ts'

/** Workers for a Launch: nothing runs before it starts. */
export function createWorkers(options: CrewOptions): Workers {
  const crew = new Crew(options)
  return { crew, control: (deps) => new CrewControl(deps, crew) }
}
