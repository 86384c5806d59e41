// Copyright (C) ngx_realtime contributors

import 'fake-indexeddb/auto';
import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

afterEach(cleanup);

/* jsdom has no canvas, and says so at length when axe looks for one */

HTMLCanvasElement.prototype.getContext = () => null;
