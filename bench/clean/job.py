"""What the contestants in Python share: where the job reads and writes, and what they tell at the end."""
import json
import os
import resource
import sys
import tempfile

parts = json.load(open(sys.argv[-2]))['parts']
folder = tempfile.mkdtemp(dir=sys.argv[-1])
clean_path, rejects_path = os.path.join(folder, 'clean.csv'), os.path.join(folder, 'rejects.csv')
numbers = {
    'usage': 'BROADBAND USAGE',
    'error_mae': 'ERROR RANGE (MAE)(+/-)',
    'error_95': 'ERROR RANGE (95%)(+/-)',
    'msd': 'MSD',
}
order = ['state', 'county', 'county_id', 'zip', *numbers]


def peak_bytes(pid):
    """Most that a process has had in memory so far."""
    with open(f'/proc/{pid}/status') as lines:
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith('VmHWM:')), 0)


def tell(seconds, clean, rejected, children=(), **more):
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    peak = own + sum(peak_bytes(pid) for pid in children)
    counts = {'clean': clean, 'rejected': rejected, 'path': clean_path}
    print(json.dumps({'seconds': seconds, **counts, 'peakMb': round(peak / 1e6), **more}))
