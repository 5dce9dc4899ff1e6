/** A value of an Azure Resource Manager template. */
export type ArmValue = string | number | boolean | readonly ArmValue[] | { readonly [key: string]: ArmValue };

/**
 * A value that is meant as it stands. A string from `[` to `]` would be an expression; a second `[` says that it is none
 * (Azure Resource Manager, "Syntax and expressions in ARM templates", escape characters).
 */
export function armLiteral(value: ArmValue): ArmValue {
  if (typeof value === 'string') return value.startsWith('[') && value.endsWith(']') ? `[${value}` : value;
  if (Array.isArray(value)) return (value as readonly ArmValue[]).map(armLiteral);
  if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, armLiteral(one)]));
  return value;
}

/** A template of which strings from `[` to `]` are expressions. */
export function armTemplate(parts: Readonly<Record<'parameters' | 'resources', ArmValue>> & { readonly outputs?: ArmValue }): ArmValue {
  return {
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
    contentVersion: '1.0.0.0',
    ...parts,
  };
}
