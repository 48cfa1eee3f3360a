import { describe, expect, it } from 'vitest';
import { pendingOf } from '../../src/client/pending-activities.ts';

const payload = (encoding: string, data: string) => ({
  payloads: [{ metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from(data) }],
});

describe('what activities say of themselves', () => {
  it.each([
    ['a note', payload('json/plain', '{"note":"3 rows"}'), '3 rows'],
    ['no note', payload('json/plain', '{"rows":3}'), undefined],
    ['null', payload('json/plain', 'null'), undefined],
    ['nothing at all', payload('binary/null', ''), undefined],
    ['what is no JSON', payload('binary/plain', '{'), undefined],
    ['no payload', {}, undefined],
  ])('is read from a beat with %s', (_, heartbeatDetails, note) => {
    const [activity] = pendingOf([{ activityType: { name: 'consume' }, attempt: 2, heartbeatDetails }]);
    expect(activity).toEqual({ activity: 'consume', attempt: 2, ...(note === undefined ? {} : { note }) });
  });
});
