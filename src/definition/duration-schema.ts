import { z } from 'zod';

/** A number with a unit, as `durationMs` reads it. */
export const duration = z.string().regex(/^\d+(ms|s|m|h|d)$/, 'must be a number with a unit: 500ms, 30s, 15m, 2h, 1d');
