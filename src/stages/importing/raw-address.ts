/**
 * The address of the file itself where `url` is a page about it on a code host, or the share link of a drive; undefined
 * for others.
 */
export function rawAddressOf(url: URL): string | undefined {
  return codeHost(url) ?? drive(url);
}

function codeHost({ protocol, host, pathname }: URL): string | undefined {
  const origin = `${protocol}//${host}`;
  if (host === 'github.com' && /^\/[^/]+\/[^/]+\/blob\//.test(pathname)) {
    return `https://raw.githubusercontent.com${pathname.replace('/blob/', '/')}`;
  }
  if (host === 'gist.github.com' && /^\/[^/]+\/[0-9a-f]{20,}\/?$/.test(pathname)) {
    return `https://gist.githubusercontent.com${pathname.replace(/\/$/, '')}/raw`;
  }
  if (host === 'huggingface.co' && pathname.includes('/blob/'))
    return `${origin}${pathname.replace('/blob/', '/resolve/')}`;
  if (pathname.includes('/-/blob/')) return `${origin}${pathname.replace('/-/blob/', '/-/raw/')}`;
  if (/\/src\/(branch|commit|tag)\//.test(pathname)) return `${origin}${pathname.replace('/src/', '/raw/')}`;
  if (host === 'bitbucket.org' && pathname.includes('/src/')) return `${origin}${pathname.replace('/src/', '/raw/')}`;
  return undefined;
}

function drive({ host, pathname, searchParams, hash }: URL): string | undefined {
  if (host === 'docs.google.com') {
    const sheet = /^\/spreadsheets\/d\/([^/]+)/.exec(pathname);
    if (!sheet || sheet[1] === 'e' || pathname.endsWith('/export')) return undefined;
    const gid = searchParams.get('gid') ?? /gid=(\d+)/.exec(hash)?.[1];
    return `https://docs.google.com${sheet[0]}/export?format=csv${gid ? `&gid=${gid}` : ''}`;
  }
  if (host === 'drive.google.com') {
    const id = /^\/file\/d\/([^/]+)/.exec(pathname)?.[1] ?? (pathname === '/open' ? searchParams.get('id') : undefined);
    return id ? `https://drive.usercontent.google.com/download?id=${id}&export=download&confirm=t` : undefined;
  }
  if (host === 'www.dropbox.com' || host === 'dropbox.com') {
    if (!/^\/(s|scl)\//.test(pathname) || searchParams.get('dl') === '1') return undefined;
    const query = new URLSearchParams(searchParams);
    query.set('dl', '1');
    return `https://www.dropbox.com${pathname}?${query.toString()}`;
  }
  if (host.endsWith('.sharepoint.com') && /^\/:[a-z]:\//.test(pathname) && searchParams.get('download') !== '1') {
    const query = new URLSearchParams(searchParams);
    query.set('download', '1');
    return `https://${host}${pathname}?${query.toString()}`;
  }
  // Nextcloud and ownCloud: /s/<token> is the page, /s/<token>/download the file.
  return /^(\/index\.php)?\/s\/[A-Za-z0-9]{15}$/.test(pathname) ? `https://${host}${pathname}/download` : undefined;
}
