// Made with Python's hmac, and again with Node's.
export const vectors = {
  V1: {
    token: 'AAECAwQFBgcICQoLDA0ODw==',
    signature: '212317d225f4845bdcc9103236b9452ac84e310b1735c02288c7a5e027e92ad8',
    base64:
      'eyJ0aW1lc3RhbXAiOjE3MDAwMDAwMDAwMDAsInR5cGUiOiJhc3NldF91cGRhdGVfbWV0YWRhdGEiLCJhc3NldElkIjoiQWJDZEVmR2hJaktsTW5PcFFyU3RVdiIsIm1ldGFkYXRhIjp7ImZpbGVuYW1lIjoiaGFyYm91ci5qcGciLCJzdGF0dXMiOiJGaW5hbCJ9LCJjaGFuZ2VkTWV0YWRhdGEiOnsic3RhdHVzIjp7Im9sZFZhbHVlIjoiUHJvZHVjdGlvbiIsIm5ld1ZhbHVlIjoiRmluYWwifX19',
  },
  V2: {
    token: 'AAECAwQFBgcICQoLDA0ODw==',
    signature: 'd4369939523d4e15486a22947c86d33de8f1cdea02e020cc7a4d50e1a98ec0e3',
    base64:
      'eyJ0aW1lc3RhbXAiOjE3MDAwMDAwMDEwMDAsInR5cGUiOiJhc3NldF9jcmVhdGUiLCJhc3NldElkIjoiMDEyMzQ1Njc4OV8tYWJjZGVmZ2hpaiIsIm1ldGFkYXRhIjp7ImZpbGVuYW1lIjoiQ2Fmw6kgWsO8cmljaCDigJMgU3RyYcOfZS5qcGciLCJjcmVhdG9yTmFtZSI6IsOFc2EgTsO6w7FleiJ9fQ==',
  },
  V3: {
    token: '+//+776t//vvvgARIjP/7w==',
    signature: '7c6f728fa89ff4ecda911004b100df54af78f5b15e8c4dd766a8432f0938eda9',
    base64:
      'eyJ0aW1lc3RhbXAiOjE3MDAwMDAwMDIwMDAsInR5cGUiOiJhc3NldF9yZW5hbWUiLCJhc3NldElkIjoielo5X3lZOC14WDd3VzZ2VjV1VTR0VCIsIm1ldGFkYXRhIjp7ImZpbGVuYW1lIjoi5YaZ55yf8J+Tty5wbmcifSwiY2hhbmdlZE1ldGFkYXRhIjp7ImZpbGVuYW1lIjp7Im9sZFZhbHVlIjoi55S75YOPLnBuZyIsIm5ld1ZhbHVlIjoi5YaZ55yf8J+Tty5wbmcifX19',
  },
  V4: {
    token: '+//+776t//vvvgARIjP/7w==',
    signature: 'baba0699574d79b22c56b2d4bc451c5429a2a07f108345e39e3db5a8277e461b',
    base64:
      'eyJ0aW1lc3RhbXAiOjE3MDAwMDAwMDMwMDAsInR5cGUiOiJhc3NldF9tb3ZlIiwiYXNzZXRJZCI6IkFBQUFBQUFBQUFBQUFBQUFBQUFBQUEiLCJtZXRhZGF0YSI6eyJmb2xkZXJQYXRoIjoiXC9EZW1vIFpvbmVcL0NhZlx1MDBlOSJ9fQ==',
  },
  V5: {
    token: 'EJQENPtUcuBReCXSY7VH6Q==',
    signature: 'f5d01e4c750a50cfba5b3e23adf21e750cc01220ceef242d931142748ea79ece',
    base64:
      'eyJ0aW1lc3RhbXAiOjE3MDAwMDAwMDQwMDAsInR5cGUiOiJhc3NldF91cGRhdGVfbWV0YWRhdGEiLCJhc3NldElkIjoiQkJCQkJCQkJCQkJCQkJCQkJCQkJCQiIsIm1ldGFkYXRhIjp7InJlc29sdXRpb25QcGkiOjMwMC4wLCJ3aWR0aFB0IjoxLjI4MTZFM30sImNoYW5nZWRNZXRhZGF0YSI6eyJyYXRpbmciOnsib2xkVmFsdWUiOm51bGwsIm5ld1ZhbHVlIjo1fX19',
  },
  V6: {
    token: 'EJQENPtUcuBReCXSY7VH6Q==',
    signature: '6c64d15414e065d9752203c35c1618bba7ef705df3892cdb330fdf01a83d4721',
    base64: 'ew0KICAidGltZXN0YW1wIiA6IDE3MDAwMDAwMDUwMDAsDQogICJ0eXBlIiA6ICJmb2xkZXJfY3JlYXRlIg0KfQ0K',
  },
  V7: {
    token: 'AAECAwQFBgcICQoLDA0ODw==',
    signature: '75c022993d64e3ac224c1c9d6f2b4c6eb53f22f6c7aa6be94428577d11d12fd5',
    base64: '',
  },
  V8: {
    token: 'AAECAwQFBgcICQoLDA0ODw==',
    signature: '0cc3a39290d21e940e0c91820b69efb47aa50b91f40b4f63e0a67321cb77d1fe',
    base64:
      'eyJ0eXBlIjoiYXNzZXRfdXBkYXRlX21ldGFkYXRhIiwiY2hhbmdlZE1ldGFkYXRhIjp7ImIiOnsib2xkVmFsdWUiOjEsIm5ld1ZhbHVlIjoyfSwiMTAiOnsib2xkVmFsdWUiOm51bGwsIm5ld1ZhbHVlIjoieCJ9LCIyIjp7Im9sZFZhbHVlIjpudWxsLCJuZXdWYWx1ZSI6InkifX19',
  },
  V9: {
    token: '+//+776t//vvvgARIjP/7w==',
    signature: '9d15896895d92a6b8c7bac3eba66123a2431f226736f1fde98cf1d0adf83d7bf',
    base64: 'eyJ0eXBlIjoiYXNzZXRfY3JlYXRlIiwibWV0YWRhdGEiOnsiZmlsZW5hbWUiOiJDYWZlzIEuanBnIn19',
  },
  V10: {
    token: '+//+776t//vvvgARIjP/7w==',
    signature: '9d772eb19181d4a9341a7352ec330b088d4738e626f1a4ec074f6ddd5bbbea6b',
    base64: 'eyJ0eXBlIjoiYXNzZXRfY3JlYXRlIiwibWV0YWRhdGEiOnsiZmlsZW5hbWUiOiJDYWbDqS5qcGcifX0=',
  },
  V11: {
    token: 'EJQENPtUcuBReCXSY7VH6Q==',
    signature: '356121b57d7105628481e0eb4302a4dde782907ea8bf67521c615c152b0f44ca',
    base64: '77u/eyJ0eXBlIjoiYXV0aGtleV9jcmVhdGUifQ==',
  },
  V12: {
    token: 'EJQENPtUcuBReCXSY7VH6Q==',
    signature: 'dec92b1785a0ef171f7ac84f28b50cfc29a3cc63cfd7b7db9132974ec82db184',
    base64: 'eyJ0eXBlIjoiYXNzZXRfY3JlYXRlIiwibWV0YWRhdGEiOnsiZmlsZW5hbWUiOiJjYWbpLmpwZyJ9fQ==',
  },
} as const;

export type VectorName = keyof typeof vectors;

export const bodyOf = (name: VectorName): Buffer => Buffer.from(vectors[name].base64, 'base64');
