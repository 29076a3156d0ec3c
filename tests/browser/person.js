// Somebody at the entry form: reads labels, uses the keyboard. Knows the words on the form, not the page behind it.
import assert from "node:assert/strict";

/** What an element is called on the form, and its row. */
export class Words {
  constructor({ dictionary, form }) {
    this.form = form;
    this.entities = dictionary.entities;
  }

  entity(name) {
    return { ...this.entities.find((one) => one.name === name), ...this.form.entities.find((one) => one.name === name) };
  }

  label(entity, element) {
    const plain = (element.unit ? element.name.replace(/_(mm|pct|gy|months|ml_min|mg_m2)$/, "") : element.name).replaceAll("_", " ");
    return this.form.labels[`${entity}.${element.name}`] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
  }

  code(element, code) {
    return element.codes.find((one) => one.code === String(code)).label;
  }
}

/** What has the focus, as a screen reader would name it. */
const focused = (page) =>
  page.evaluate(() => {
    const at = document.activeElement;
    const label = (at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent).replace(/ optional$/, "");
    const set = at.type === "checkbox" && at.closest("fieldset")?.querySelector("legend").textContent.replace(/ optional$/, "");
    const value = at.tagName === "SELECT" ? at.selectedOptions[0].textContent : at.type === "checkbox" ? at.checked : at.value;
    return { name: set ? `${set}: ${label}` : label, value };
  });

export class Person {
  constructor(page, words) {
    Object.assign(this, { page, words });
  }

  /** Tab after Tab until the focus is on something of this name. */
  async tabTo(name, limit = 120) {
    const passed = [];
    for (let i = 0; i < limit; i += 1) {
      const at = await focused(this.page);
      if (at.name === name) return at;
      passed.push(at.name);
      await this.page.keyboard.press("Tab");
    }
    return assert.fail(`the keyboard does not reach "${name}"; passed ${passed.join(" | ")}`);
  }

  /** Types the beginning of an option's text into a select. */
  async pick(name, text) {
    await this.tabTo(name);
    await this.page.keyboard.type(text);
    const { value } = await focused(this.page);
    assert.equal(value, text, `${name} takes "${text}"`);
  }

  async answer(entity, element, value) {
    const label = this.words.label(entity, element);
    const single = element.type === "boolean" || (element.codes && element.type !== "code_set") || this.linked(entity, element);
    if (value?.absent) return this.pick(single && element.type !== "string_set" ? label : `${label}: no value because`, this.words.form.absence[value.absent]);
    if (Array.isArray(value)) return this.tick(entity, element, label, value);
    if (!single) return this.write(label, String(value));
    if (element.type === "boolean") return this.pick(label, value ? "Yes" : "No");
    if (element.codes) return this.pick(label, this.words.code(element, value));
    return this.choose(label, String(value));
  }

  linked(entity, element) {
    return this.words.form.links.some((one) => one.elements.includes(`${entity}.${element.name}`));
  }

  async write(label, text) {
    const { value } = await this.tabTo(label);
    if (value === text) return;
    await this.page.keyboard.press("Control+A");
    await this.page.keyboard.type(text);
    await this.page.keyboard.press("Tab");
  }

  /** An option that begins with a row's key. */
  async choose(label, key) {
    const { value } = await this.tabTo(label);
    if (value.split(" · ")[0] === key) return;
    await this.page.keyboard.type(key);
  }

  async tick(entity, element, label, codes) {
    if (codes.length === 0) {
      await this.tabTo(`${label}: None of these`);
      await this.page.keyboard.press("Space");
      return;
    }
    const listed = element.codes ? element.codes.filter((one) => codes.includes(one.code)).map((one) => one.label) : codes;
    for (const one of listed) {
      if (element.codes) await this.tabTo(`${label}: ${one}`);
      else await this.tabToRow(label, one);
      await this.page.keyboard.press("Space");
    }
  }

  /** A box that names a row by its key. */
  async tabToRow(label, key) {
    for (let i = 0; i < 60; i += 1) {
      const { name } = await focused(this.page);
      if (name.startsWith(`${label}: ${key}`)) return;
      await this.page.keyboard.press("Tab");
    }
    assert.fail(`no box for ${key} in ${label}`);
  }

  /** Answers the elements of a row in the order in which they stand on the form. */
  async row(entity, values) {
    for (const element of this.words.entity(entity).elements) {
      if (element.name in values) await this.answer(entity, element, values[element.name]);
    }
  }

  /** Enters a whole record but for its statements about sections. */
  async enter(record) {
    for (const entity of this.words.form.sections.flatMap((section) => section.entities)) {
      const { title, one, cardinality, elements } = this.words.entity(entity);
      const found = record[entity];
      if (!found) continue;
      if (cardinality === "1..1") {
        const first = this.words.label(entity, elements[0]);
        await this.page.getByRole("region", { name: title, exact: true }).getByLabel(first, { exact: true }).focus();
        await this.row(entity, found);
        continue;
      }
      for (const values of found) {
        await this.page.getByRole("button", { name: `Add ${one}`, exact: true }).press("Enter");
        const group = await this.page.evaluate(() => document.activeElement.closest("[role=group]")?.querySelector("input, select").focus());
        assert.equal(group, undefined);
        await this.row(entity, values);
      }
    }
  }

  /** Says of one section how complete it is. */
  async close(section, status, through) {
    const said = this.words.form.attestation;
    const codes = this.words.entity(said.entity).elements.find((one) => one.name === said.status);
    const select = this.page.getByLabel(`${this.words.entity(section).title}: how complete?`, { exact: true });
    await select.focus();
    await this.page.keyboard.type(this.words.code(codes, status));
    if (!through) return;
    await this.tabTo("through", 3);
    await this.page.keyboard.type(through);
    await this.page.keyboard.press("Tab");
  }

  /** Saves by the keyboard and reads what is said. */
  async save() {
    await this.page.keyboard.press("Control+s");
    const said = this.page.getByRole("status");
    await this.page.waitForFunction(() => document.querySelector("[role=status]").textContent !== "Saving");
    return said.innerText();
  }
}
