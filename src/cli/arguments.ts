/** Options whose value is a secret, or holds one. */
const SECRET = /^--snmp-(?:community|user)(?:=|$)/;

/** The words of a command line as they may be written down: without secrets. */
export function withoutSecrets(words: readonly string[]): string[] {
  return words.map((word, at) => {
    const before = words[at - 1];
    if (before !== undefined && SECRET.test(before) && !before.includes('=')) return '***';
    return SECRET.test(word) && word.includes('=') ? `${word.slice(0, word.indexOf('='))}=***` : word;
  });
}

/** What the parser of the command line says, without the value of an option that it did not know: it may be a misspelt one with a secret. */
export function withoutUnknownValues(text: string): string {
  return text.replace(/(unknown option '[^'=]*)=[^]*'/, "$1=***'");
}
