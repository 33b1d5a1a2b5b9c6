/** What a check found. */
export interface Finding {
  /** A fault makes `moco verify` fail; a note says what cannot be known, or was not so from the start. */
  readonly level: "fault" | "note";
  /** The file, below the project's folder, and where in it. */
  readonly where: string;
  readonly what: string;
}

export function fault(where: string, what: string): Finding {
  return { level: "fault", where, what };
}

export function note(where: string, what: string): Finding {
  return { level: "note", where, what };
}
