/**
 * Decoding and encoding text by the chunk. However the bytes are cut, the same text comes out, and the same failure after it.
 *
 * @internal
 */
import { type DecodeFailed, decodeFailed, type IncompleteRead, incompleteRead } from '../StreamError.js'
import type { Emitter, Run, Verdict } from '../Transducer.js'

type Bytes = Uint8Array
type Decoder = Run<Bytes, string, DecodeFailed | IncompleteRead>
type Encoder = Run<string, Bytes, DecodeFailed>

const layerName = 'Text'
const byteOrderMark = 0xfeff
const replacement = 0xfffd

const failed = <E>(error: E): Verdict<E> => ({ _tag: 'failed', error })

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

// -------------------------------------------------------------------------------------
// decoding
// -------------------------------------------------------------------------------------

/** Decodes chunk after chunk; what is left of one is a character that is not complete. */
abstract class Decoding implements Decoder {
  protected rest: Bytes | null = null
  private atStart = true
  protected readonly isStrict: boolean

  constructor(isStrict: boolean) {
    this.isStrict = isStrict
  }

  /** How much of it can be decoded now. */
  protected abstract cut(bytes: Bytes): number
  /** Null: it is not right, and that counts. */
  protected abstract decode(bytes: Bytes): string | null
  /** The text before what is not right. */
  protected abstract goodPart(bytes: Bytes): string
  /** Of what is left at the end: whether more could have made it right. */
  protected abstract isBeginning(bytes: Bytes): boolean

  step(input: ArrayLike<Bytes>, count: number, out: Emitter<string>): Verdict<DecodeFailed> {
    for (let i = 0; i < count; i++) {
      const bytes = this.withRest(input[i] as Bytes)
      const cut = this.cut(bytes)
      // A copy: the chunk is not kept for the sake of three bytes.
      this.rest = cut === bytes.length ? null : bytes.slice(cut)
      if (cut === 0) continue
      const whole = cut === bytes.length ? bytes : bytes.subarray(0, cut)
      const text = this.decode(whole)
      if (text === null) {
        this.emit(this.goodPart(whole), out)
        return failed(decodeFailed(layerName, whole, 'These bytes are no text in this encoding.'))
      }
      this.emit(text, out)
    }
    return 'more'
  }

  end(out: Emitter<string>): Verdict<DecodeFailed | IncompleteRead> {
    const { rest } = this
    if (rest === null) return 'more'
    if (this.isStrict) {
      return failed(
        this.isBeginning(rest)
          ? incompleteRead(rest.length)
          : decodeFailed(layerName, rest, 'These bytes are no text in this encoding.')
      )
    }
    this.emit(this.decode(rest) ?? '', out)
    return 'more'
  }

  private withRest(chunk: Bytes): Bytes {
    const { rest } = this
    if (rest === null) return chunk
    const joined = new Uint8Array(rest.length + chunk.length)
    joined.set(rest)
    joined.set(chunk, rest.length)
    return joined
  }

  private emit(text: string, out: Emitter<string>): void {
    if (text.length === 0) return
    if (this.atStart) {
      this.atStart = false
      if (text.charCodeAt(0) === byteOrderMark) {
        if (text.length > 1) out.push(text.slice(1))
        return
      }
    }
    out.push(text)
  }
}

class Utf8Decoding extends Decoding {
  private readonly decoder: TextDecoder

  constructor(isStrict: boolean) {
    super(isStrict)
    // Without `stream`, which is many times slower on Node; so the chunks are cut between characters here.
    this.decoder = new TextDecoder('utf-8', { fatal: isStrict, ignoreBOM: true })
  }

  protected override cut(bytes: Bytes): number {
    const { length } = bytes
    for (let k = 1; k <= 3 && k <= length; k++) {
      const byte = bytes[length - k] as number
      if (byte < 0x80) break
      if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > k ? length - k : length
    }
    return length
  }

  protected override decode(bytes: Bytes): string | null {
    try {
      return this.decoder.decode(bytes)
    } catch {
      return null
    }
  }

  protected override goodPart(bytes: Bytes): string {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    let good = ''
    try {
      for (let i = 0; i < bytes.length; i++)
        good += decoder.decode(bytes.subarray(i, i + 1), { stream: true })
    } catch {
      // Here it stops being right.
    }
    return good
  }

  protected override isBeginning(bytes: Bytes): boolean {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
      return true
    } catch {
      return false
    }
  }
}

/** How many code units become a string at a time: more arguments may be more than the stack takes. */
const unitsAtOnce = 8192

const textOf = (units: Uint16Array | Bytes): string => {
  let text = ''
  for (let i = 0; i < units.length; i += unitsAtOnce) {
    text += String.fromCharCode(...units.subarray(i, i + unitsAtOnce))
  }
  return text
}

class Utf16Decoding extends Decoding {
  private readonly low: 0 | 1

  constructor(isStrict: boolean, isLittleEndian: boolean) {
    super(isStrict)
    this.low = isLittleEndian ? 0 : 1
  }

  private unit(bytes: Bytes, at: number): number {
    return (bytes[at + this.low] as number) | ((bytes[at + 1 - this.low] as number) << 8)
  }

  protected override cut(bytes: Bytes): number {
    const even = bytes.length & ~1
    return even >= 2 && isHigh(this.unit(bytes, even - 2)) ? even - 2 : even
  }

  /** The code units, up to the first that is not right when that counts. */
  private units(bytes: Bytes): Uint16Array {
    const units = new Uint16Array(Math.ceil(bytes.length / 2))
    let n = 0
    for (let i = 0; i < bytes.length; i += 2) {
      const unit = i + 1 < bytes.length ? this.unit(bytes, i) : replacement
      const isPair = isHigh(unit) && i + 3 < bytes.length && isLow(this.unit(bytes, i + 2))
      if (isPair) {
        units[n++] = unit
        i += 2
        units[n++] = this.unit(bytes, i)
      } else if (!isHigh(unit) && !isLow(unit)) units[n++] = unit
      else if (this.isStrict) return units.subarray(0, n)
      else units[n++] = replacement
    }
    return units.subarray(0, n)
  }

  protected override decode(bytes: Bytes): string | null {
    const units = this.units(bytes)
    return this.isStrict && units.length * 2 < bytes.length ? null : textOf(units)
  }

  protected override goodPart(bytes: Bytes): string {
    return textOf(this.units(bytes))
  }

  protected override isBeginning(): boolean {
    return true
  }
}

const latin1Decoding: Decoder = {
  step: (input, count, out) => {
    for (let i = 0; i < count; i++) {
      const text = textOf(input[i] as Bytes)
      if (text !== '') out.push(text)
    }
    return 'more'
  },
  end: () => 'more'
}

/** By the host's decoder, for the many encodings that are decoded only. */
class HostDecoding implements Decoder {
  private readonly decoder: TextDecoder

  constructor(encoding: string, isStrict: boolean) {
    this.decoder = new TextDecoder(encoding, { fatal: isStrict })
  }

  step(input: ArrayLike<Bytes>, count: number, out: Emitter<string>): Verdict<DecodeFailed> {
    for (let i = 0; i < count; i++) {
      const bytes = input[i] as Bytes
      let text = ''
      try {
        // Byte by byte where something is wrong would need the state from before; so the text up to there goes with it.
        text = this.decoder.decode(bytes, { stream: true })
      } catch {
        return failed(decodeFailed(layerName, bytes, 'These bytes are no text in this encoding.'))
      }
      if (text !== '') out.push(text)
    }
    return 'more'
  }

  end(out: Emitter<string>): Verdict<IncompleteRead> {
    try {
      const text = this.decoder.decode()
      if (text !== '') out.push(text)
      return 'more'
    } catch {
      return failed(incompleteRead(1))
    }
  }
}

type Known = 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1'

const names: Readonly<Record<string, Known>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'utf-16le': 'utf-16le',
  'utf-16': 'utf-16le',
  utf16le: 'utf-16le',
  'utf-16be': 'utf-16be',
  latin1: 'latin1',
  'iso-8859-1': 'latin1'
}

const knownAs = (encoding: string): Known | undefined => names[encoding.toLowerCase()]

export const decoderFor = (encoding: string, isStrict: boolean): (() => Decoder) => {
  switch (knownAs(encoding)) {
    case 'utf-8':
      return () => new Utf8Decoding(isStrict)
    case 'utf-16le':
      return () => new Utf16Decoding(isStrict, true)
    case 'utf-16be':
      return () => new Utf16Decoding(isStrict, false)
    case 'latin1':
      return () => latin1Decoding
    case undefined:
      // An unknown name throws here, where it is written.
      new TextDecoder(encoding)
      return () => new HostDecoding(encoding, isStrict)
  }
}

// -------------------------------------------------------------------------------------
// encoding
// -------------------------------------------------------------------------------------

/** Encodes piece after piece. A high surrogate at the end of one waits for the next. */
abstract class Encoding implements Encoder {
  private held = ''
  private saved = ''
  protected readonly isStrict: boolean

  constructor(isStrict: boolean) {
    this.isStrict = isStrict
  }

  /** Null: a character has no bytes, and that counts. */
  protected abstract encode(text: string): Bytes | null

  step(input: ArrayLike<string>, count: number, out: Emitter<Bytes>): Verdict<DecodeFailed> {
    for (let i = 0; i < count; i++) {
      let text = this.held === '' ? (input[i] as string) : this.held + (input[i] as string)
      this.held = ''
      if (text.length === 0) continue
      if (isHigh(text.charCodeAt(text.length - 1))) {
        this.held = text.slice(-1)
        text = text.slice(0, -1)
        if (text.length === 0) continue
      }
      const verdict = this.emit(text, out)
      if (verdict !== 'more') return verdict
    }
    return 'more'
  }

  end(out: Emitter<Bytes>): Verdict<DecodeFailed> {
    return this.held === '' ? 'more' : this.emit(this.held, out)
  }

  private emit(text: string, out: Emitter<Bytes>): Verdict<DecodeFailed> {
    const bytes = this.encode(text)
    if (bytes === null)
      return failed(decodeFailed(layerName, text, 'A character has no bytes in this encoding.'))
    out.push(bytes)
    return 'more'
  }

  save(): void {
    this.saved = this.held
  }

  restore(): void {
    this.held = this.saved
  }
}

/** Younger than the library that the types are of. */
interface WellFormed {
  readonly isWellFormed?: () => boolean
}

const loneSurrogate = /\p{Surrogate}/u

const isWellFormed = (text: string): boolean =>
  (text as WellFormed).isWellFormed?.() ?? !loneSurrogate.test(text)

const utf8 = new TextEncoder()

class Utf8Encoding extends Encoding {
  protected override encode(text: string): Bytes | null {
    return this.isStrict && !isWellFormed(text) ? null : utf8.encode(text)
  }
}

class Utf16Encoding extends Encoding {
  private readonly low: 0 | 1

  constructor(isStrict: boolean, isLittleEndian: boolean) {
    super(isStrict)
    this.low = isLittleEndian ? 0 : 1
  }

  protected override encode(text: string): Bytes | null {
    const wellFormed = isWellFormed(text)
    if (this.isStrict && !wellFormed) return null
    const bytes = new Uint8Array(text.length * 2)
    for (let i = 0; i < text.length; i++) {
      let unit = text.charCodeAt(i)
      if (!wellFormed) {
        const isPaired = isHigh(unit)
          ? isLow(text.charCodeAt(i + 1))
          : !isLow(unit) || (i > 0 && isHigh(text.charCodeAt(i - 1)))
        if (!isPaired) unit = replacement
      }
      bytes[i * 2 + this.low] = unit & 0xff
      bytes[i * 2 + 1 - this.low] = unit >> 8
    }
    return bytes
  }
}

class Latin1Encoding extends Encoding {
  protected override encode(text: string): Bytes | null {
    const bytes = new Uint8Array(text.length)
    let n = 0
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0xff && this.isStrict) return null
      // A pair is one character.
      if (unit > 0xff && isHigh(unit) && isLow(text.charCodeAt(i + 1))) i++
      bytes[n++] = unit > 0xff ? 0x3f : unit
    }
    return n === bytes.length ? bytes : bytes.subarray(0, n)
  }
}

export const encoderFor = (encoding: string, isStrict: boolean): (() => Encoder) => {
  switch (knownAs(encoding)) {
    case 'utf-8':
      return () => new Utf8Encoding(isStrict)
    case 'utf-16le':
      return () => new Utf16Encoding(isStrict, true)
    case 'utf-16be':
      return () => new Utf16Encoding(isStrict, false)
    case 'latin1':
      return () => new Latin1Encoding(isStrict)
    case undefined:
      throw new RangeError(
        `Text cannot be encoded as ${encoding}: only utf-8, utf-16le, utf-16be and latin1 can. To decode alone, put ` +
          'Stream.via(Text.decode(…)) on the stream.'
      )
  }
}
