/** Lines of WGSL, indented by their blocks. */
export class Code {
  private readonly lines: string[] = [];
  private indent = "";

  line(text: string): void {
    this.lines.push(this.indent + text);
  }

  /** `header { … }`; what `body` writes is inside. */
  block(header: string, body: () => void): void {
    this.line(`${header} {`);
    const outside = this.indent;
    this.indent += "  ";
    body();
    this.indent = outside;
    this.line("}");
  }

  /** Appends the lines of another text at this indentation. */
  append(other: Code): void {
    for (const line of other.lines) this.line(line);
  }

  get empty(): boolean {
    return this.lines.length === 0;
  }

  toString(): string {
    return this.lines.map((line) => `${line}\n`).join("");
  }
}
