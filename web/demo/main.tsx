// Copyright (C) ngx_realtime contributors

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../src/ui/styles.css';
import './demo.css';
import { App } from './App.tsx';
import { fetchPeople, wanted } from './people.ts';

const theme = wanted.get('theme');

if (theme) {
  document.documentElement.dataset.theme = theme;
}

const root = createRoot(document.getElementById('root') as HTMLElement);

fetchPeople().then(
  (people) =>
    root.render(
      <StrictMode>
        <App people={people} />
      </StrictMode>,
    ),
  () =>
    root.render(<p role="alert">The demo has no people: is nginx running?</p>),
);
