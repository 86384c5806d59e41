// Copyright (C) ngx_realtime contributors

/* The people of the demo, with a token each: tools/demo writes them. */

export interface Person {
  id: string;
  name: string;
  token: string;
}

let people: Person[] = [];

export async function fetchPeople(): Promise<Person[]> {
  const reply = await fetch('demo.json');
  const { users } = await reply.json();

  people = users;
  return people;
}

/* one that was refused or runs out is looked up again */

export async function tokenOf(
  userId: string,
  reason: string,
): Promise<string | undefined> {
  if (reason !== 'connect') {
    await fetchPeople();
  }

  return people.find(({ id }) => id === userId)?.token;
}

/* ?user=alice, &transport=polling, &lang=fr, &dir=rtl, &theme=dark */

export const wanted = new URLSearchParams(location.search);

export function linkTo(changes: Record<string, string>): string {
  const to = new URLSearchParams(location.search);

  for (const [name, value] of Object.entries(changes)) {
    if (value === '') {
      to.delete(name);
    } else {
      to.set(name, value);
    }
  }

  return `?${to}`;
}
