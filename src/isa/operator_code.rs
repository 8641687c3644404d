//! The numbers by which compiled code names operators.
//!
//! They are part of the file formats: an operator keeps its number for ever, and a new one gets the next.

use super::builtin::Builtin;

/// The operators by number. Add to the end only, and to the table in `docs/formats.md`.
const BY_CODE: [Builtin; Builtin::ALL.len()] = {
    use Builtin::*;
    [
        OpenBracket,
        CloseBracket,
        Abs,
        Add,
        ALoad,
        AnchorSearch,
        And,
        Arguments,
        Array,
        AStore,
        Atan,
        Begin,
        Bind,
        BitShift,
        Ceiling,
        Clear,
        ClearToMark,
        Copy,
        Cos,
        Count,
        CountDictStack,
        CountExecStack,
        CountToMark,
        CurrentDict,
        CurrentTrace,
        Cvi,
        Cvr,
        Cvs,
        Def,
        Dict,
        Div,
        Dup,
        End,
        Eq,
        Exch,
        Exec,
        Exit,
        Exp,
        Floor,
        For,
        ForAll,
        Ge,
        Get,
        GetInterval,
        Gt,
        IDiv,
        If,
        IfElse,
        Index,
        Known,
        Le,
        Length,
        Ln,
        Load,
        Log,
        Loop,
        Lt,
        Mark,
        Mod,
        Mul,
        Ne,
        Neg,
        Not,
        Null,
        Or,
        Pop,
        Print,
        Put,
        PutInterval,
        Quit,
        Rand,
        ReadLine,
        Repeat,
        Roll,
        Round,
        RRand,
        Search,
        Sin,
        Sqrt,
        SRand,
        Stack,
        Stop,
        Stopped,
        Store,
        String,
        Sub,
        SystemDict,
        Trace,
        Truncate,
        Type,
        Undef,
        Where,
        Write,
        Xor,
    ]
};

/// The number of each operator, in the order of [`Builtin::ALL`].
const CODES: [u8; Builtin::ALL.len()] = {
    let mut codes = [0; Builtin::ALL.len()];
    let mut code = 0;
    while code < BY_CODE.len() {
        codes[BY_CODE[code] as usize] = code as u8;
        code += 1;
    }
    codes
};

impl Builtin {
    /// The operator's number in compiled code.
    pub const fn code(self) -> u8 {
        CODES[self as usize]
    }

    /// The operator of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        BY_CODE.get(usize::from(code)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_has_its_documented_number() {
        let document = include_str!("../../docs/formats.md");
        for operator in Builtin::ALL {
            assert_eq!(Builtin::from_code(operator.code()), Some(*operator));
            let row = format!("| {} | `{}` |", operator.code(), operator.name());
            assert!(document.contains(&row), "docs/formats.md lacks {row}");
        }
        assert_eq!(Builtin::from_code(Builtin::ALL.len() as u8), None);
    }
}
