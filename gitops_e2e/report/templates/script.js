'use strict';
(() => {
  const root = document.documentElement;
  const $ = (selector) => document.querySelector(selector);
  const $$ = (selector) => [...document.querySelectorAll(selector)];
  const search = $('#search');
  const filters = $$('#filters button');
  const views = ['run', 'documentation'];

  // --- what is remembered between pages: only the theme and whether single keys are wanted

  const remembered = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* a file may have no storage */ } };

  // --- the state, which is in the URL

  const parameters = new URLSearchParams(location.search);
  const state = {
    view: views.includes(parameters.get('view')) ? parameters.get('view') : 'run',
    query: parameters.get('q') ?? '',
    statuses: new Set((parameters.get('status') ?? '').split(',').filter(Boolean)),
  };

  const store = () => {
    const next = new URLSearchParams();
    if (state.view !== 'run') next.set('view', state.view);
    if (state.query) next.set('q', state.query);
    if (state.statuses.size) next.set('status', [...state.statuses].join(','));
    const query = next.toString();
    try { history.replaceState(null, '', (query ? `?${query}` : location.pathname) + location.hash); } catch { /* as above */ }
  };

  // --- showing it

  const wanted = (item) => {
    if (state.statuses.size && !state.statuses.has(item.dataset.status)) return false;
    const tags = ` ${item.dataset.tags} `;
    return state.query.toLowerCase().split(/\s+/).filter(Boolean).every((word) =>
      word.startsWith('@') ? tags.includes(` ${word} `) : item.dataset.search.includes(word));
  };

  const show = () => {
    for (const view of views) {
      $(`#${view}-view`).hidden = state.view !== view;
      const link = $(`a[data-view="${view}"]`);
      if (state.view === view) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
    }
    let shown = 0;
    const all = $$('.case');
    for (const item of all) { item.hidden = !wanted(item); shown += item.hidden ? 0 : 1; }
    for (const item of $$('[data-row]')) item.hidden = !wanted(item);
    for (const item of $$('.scenario')) item.hidden = !item.querySelector('[data-row]:not([hidden])');
    for (const item of $$('[data-holds]')) item.hidden = !item.querySelector(`${item.dataset.holds}:not([hidden])`);
    for (const item of $$('.tree [data-of]')) item.hidden = document.getElementById(item.dataset.of).hidden;
    for (const button of filters) button.setAttribute('aria-pressed', String(state.statuses.has(button.dataset.status)));
    const narrowed = state.query || state.statuses.size;
    $('#shown').textContent = narrowed ? `${shown} of ${all.length} scenarios are shown` : '';
    $('#everything').hidden = !narrowed;
    store();
  };

  const go = (view) => { state.view = view; show(); };

  const follow = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const view = views.find((name) => $(`#${name}-view`).contains(target));
    if (view && view !== state.view) state.view = view;
    for (let each = target; each; each = each.parentElement) {
      if (each.tagName === 'DETAILS') each.open = true;
    }
    if (target.matches('.case')) target.querySelector('details').open = true;
    show();
    target.hidden = false;
    target.scrollIntoView();
  };

  // --- theme

  const themes = ['', 'light', 'dark'];
  const setTheme = (theme) => {
    if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
    $('#theme').textContent = `Theme: ${theme || 'system'}`;
    remember('gitops-e2e-theme', theme);
  };
  const nextTheme = () => setTheme(themes[(themes.indexOf(root.dataset.theme ?? '') + 1) % themes.length]);

  // --- keys

  const help = $('#help');
  const keysWanted = $('#keys-wanted');
  const step = (by) => {
    const items = $$(state.view === 'run' ? '.case:not([hidden]) summary' : '.scenario:not([hidden]) .title :is(h4, h5) a')
      .filter((item) => item.offsetParent && (state.view !== 'run' || item.closest('.case').querySelector('summary') === item));
    if (!items.length) return;
    const at = items.indexOf(document.activeElement);
    const next = items[at < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, at + by))];
    next.focus();
    next.scrollIntoView({ block: 'nearest' });
  };
  const keys = {
    '/': () => search.focus(), j: () => step(1), k: () => step(-1), r: () => go('run'), d: () => go('documentation'),
    t: nextTheme, '?': () => help.showModal(),
  };
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && event.target === search) { state.query = search.value = ''; search.blur(); show(); return; }
    const typing = event.target.matches('input, textarea, select');
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !keysWanted.checked || help.open) return;
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });

  // --- begin

  root.classList.add('js');
  search.value = state.query;
  search.addEventListener('input', () => { state.query = search.value.trim(); show(); });
  for (const button of filters) button.addEventListener('click', () => {
    const { status } = button.dataset;
    if (!state.statuses.delete(status)) state.statuses.add(status);
    show();
  });
  $('#everything').addEventListener('click', () => { state.query = search.value = ''; state.statuses.clear(); show(); });
  for (const link of $$('a[data-view]')) link.addEventListener('click', (event) => { event.preventDefault(); go(link.dataset.view); });
  $('#theme').addEventListener('click', nextTheme);
  $('#help-open').addEventListener('click', () => help.showModal());
  keysWanted.checked = remembered('gitops-e2e-keys') !== 'off';
  keysWanted.addEventListener('change', () => remember('gitops-e2e-keys', keysWanted.checked ? 'on' : 'off'));
  window.addEventListener('hashchange', follow);
  const theme = remembered('gitops-e2e-theme');
  setTheme(themes.includes(theme) ? theme : '');
  show();
  follow();
})();
