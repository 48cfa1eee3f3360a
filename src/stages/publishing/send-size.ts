/** Rows of a partition that wait for each other are sent once they are so many bytes, however few they are. */
export const SEND_BYTES = 4 * 1024 * 1024;

/** What a topic has to take at once: the broker counts a whole send as one message. Such rows, and room for one row more. */
export const MESSAGE_BYTES = 2 * SEND_BYTES;

/** Headers, lengths and the like. */
const OVERHEAD_BYTES = 256;

/** Bytes of a row as it is sent, before compression; a little more rather than less. */
export const sizeOf = (key: string, value: string): number =>
  Buffer.byteLength(value) + Buffer.byteLength(key) + OVERHEAD_BYTES;
