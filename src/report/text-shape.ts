// SPDX-License-Identifier: Apache-2.0

/** What the reader of a text can show; decided once by the base command, handed to every renderer. */
export interface TextShape {
  /** Columns available. */
  widthColumns: number;
  /** May block and box characters be used? Otherwise ASCII. */
  unicode: boolean;
  /** May colour be used? */
  colour: boolean;
}
