// Copyright (C) ngx_realtime contributors

import 'fake-indexeddb/auto';
import { cleanup, configure } from '@testing-library/react';
import { afterEach } from 'vitest';

afterEach(cleanup);

/* it is a bound for what never comes: a busy machine is slow */

configure({ asyncUtilTimeout: 10_000 });

/* jsdom has no canvas, and says so at length when axe looks for one */

HTMLCanvasElement.prototype.getContext = () => null;
