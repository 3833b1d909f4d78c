import type { EventState } from '../pipeline/model/ledger.ts';
import type { Cell } from './columns.ts';
import type { Colour } from './terminal.ts';

const colourOf: Readonly<Record<EventState, Colour | undefined>> = {
  processing: undefined,
  waiting: 'yellow',
  done: 'green',
  ignored: 'gray',
  failed: 'red',
};

/** A state as a table shows it, with why. */
export function stateCell(state: EventState, code: string | undefined): Cell {
  return { text: code === undefined ? state : `${state}, ${code}`, colour: colourOf[state] };
}
