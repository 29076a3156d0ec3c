// The case in memory: rows of values per entity, as the dictionary has them. A value is what stands in the document; what is
// missing has no key. Nothing here is written to the browser's storage.

let rows = 0;

/** The dictionary of a version with the form's words, by name. */
export function structure({ dictionary, form }) {
  const entities = new Map();
  const derived = new Map();
  for (const entity of dictionary.entities) {
    if (entity.kind !== "case") continue;
    const said = form.entities.find((one) => one.name === entity.name) ?? {};
    const elements = new Map(entity.elements.filter((e) => e.requirement !== "derived").map((e) => [e.name, e]));
    derived.set(entity.name, entity.elements.filter((e) => e.requirement === "derived"));
    entities.set(entity.name, { ...entity, ...said, elements, repeated: entity.cardinality !== "1..1" });
  }
  return { version: dictionary.version, entities, derived, form };
}

/** `imaging.date` as entity and element. */
export const split = (path) => path.split(".");

/** One row of an entity. */
export const newRow = (values = {}) => ({ id: `r${++rows}`, values });

export class Model {
  constructor(schema) {
    this.schema = schema;
    this.listeners = [];
    this.load({});
  }

  /** Takes the place of everything there is. */
  load(document) {
    this.data = new Map();
    for (const entity of this.schema.entities.values()) {
      const found = document[entity.name];
      const list = entity.repeated ? (found ?? []) : [found ?? {}];
      this.data.set(entity.name, list.map((values) => newRow(known(entity, values))));
    }
  }

  rows(entity) {
    return this.data.get(entity) ?? [];
  }

  /** The first row's value of an element. */
  first(path) {
    const [entity, element] = split(path);
    return this.rows(entity)[0]?.values[element];
  }

  set(row, element, value) {
    if (value === undefined) delete row.values[element];
    else row.values[element] = value;
    this.changed();
  }

  add(entity, values = {}, after) {
    const row = newRow({ ...this.keysFor(entity), ...values });
    const list = this.rows(entity);
    list.splice(after === undefined ? list.length : list.indexOf(after) + 1, 0, row);
    this.changed();
    return row;
  }

  remove(entity, row) {
    const list = this.rows(entity);
    const at = list.indexOf(row);
    list.splice(at, 1);
    this.changed();
    return () => {
      list.splice(at, 0, row);
      this.changed();
    };
  }

  onChange(listener) {
    this.listeners.push(listener);
  }

  changed() {
    for (const listener of this.listeners) listener();
  }

  /** Free keys for a new row: the next number, and the row it is linked to when there is only one. */
  keysFor(entity) {
    const values = {};
    for (const { element, prefix } of this.schema.form.keys) {
      const [owner, name] = split(element);
      if (owner !== entity) continue;
      const taken = this.rows(entity).map((row) => String(row.values[name] ?? ""));
      let number = taken.length + 1;
      while (taken.includes(`${prefix}${number}`)) number += 1;
      values[name] = prefix ? `${prefix}${number}` : number;
    }
    for (const { elements, to } of this.schema.form.links) {
      const [owner, key] = split(to);
      const targets = this.rows(owner);
      for (const [from, name] of elements.map(split)) {
        const one = this.schema.entities.get(from).elements.get(name);
        if (from === entity && targets.length === 1 && one.requirement === "R" && one.absence.length === 0) {
          values[name] = targets[0].values[key];
        }
      }
    }
    return values;
  }

  /** A copy of a row's values without its keys: a new row gets its own. */
  copy(entity, row) {
    const values = structuredClone(row.values);
    for (const [owner, name] of this.schema.form.keys.map((key) => split(key.element))) {
      if (owner === entity) delete values[name];
    }
    return values;
  }

  /** Whether the record ends the registration: then only a few elements are sent. */
  withdrawn() {
    const { element, codes } = this.schema.form.withdrawal;
    return codes.includes(this.first(element));
  }

  /** The document as it would be sent, and which row stands at which place in it. */
  document() {
    const kept = this.withdrawn() ? this.schema.form.withdrawal.keeps : null;
    const document = { schema_version: this.schema.version };
    const places = new Map();
    for (const entity of this.schema.entities.values()) {
      const list = this.rows(entity.name).map((row) => ({ row, values: ordered(entity, row.values, kept) }));
      if (entity.repeated ? list.length === 0 || kept : kept && Object.keys(list[0].values).length === 0) continue;
      document[entity.name] = entity.repeated ? list.map((one) => one.values) : list[0].values;
      places.set(entity.name, list.map((one) => one.row));
    }
    return { document, places };
  }
}

/** What the dictionary knows of a stored row; null is the same as nothing. */
function known(entity, values) {
  const pairs = Object.entries(values).filter(([name, value]) => entity.elements.has(name) && value !== null);
  return structuredClone(Object.fromEntries(pairs));
}

function ordered(entity, values, kept) {
  const names = [...entity.elements.keys()].filter((name) => name in values);
  const sent = kept ? names.filter((name) => kept.includes(`${entity.name}.${name}`)) : names;
  return Object.fromEntries(sent.map((name) => [name, values[name]]));
}
