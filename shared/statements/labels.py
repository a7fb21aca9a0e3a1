"""The fixed words of a statement: whatever a template says that differs in no statement."""

from functools import lru_cache

from shared.statements.language import Language


@lru_cache(maxsize=512)
def labels(language: Language) -> dict[str, str]:
    """Return the fixed words by what they name; some have placeholders for a template to fill."""
    say = language.say
    return {
        # Translators: after a label, before its value; French has a blank before it.
        "colon": say(":"),
        # Translators: between two parts of a line, with a blank after it.
        "comma": say(", "),
        # Translators: a label above the customer's name.
        "for": say("For"),
        "account_of": say("Account of"),
        "customer_number": say("Customer number"),
        "reference": say("Reference"),
        "summary": say("Summary"),
        "transactions": say("Transactions"),
        "transaction": say("Transaction"),
        "date": say("Date"),
        # Translators: the head of a column of dates on which documents have to be paid.
        "due": say("Due"),
        "days_overdue": say("Days overdue"),
        # Translators: a mark beside an invoice.
        "overdue": say("overdue"),
        # Translators: amounts that raise what the customer owes.
        "charges": say("Charges"),
        # Translators: amounts that reduce what the customer owes.
        "credits": say("Credits"),
        "amount": say("Amount"),
        "balance": say("Balance"),
        # Translators: the head of a column of what is unpaid of each document.
        "open": say("Open"),
        # Translators: the head of a column of the whole amounts of documents.
        "total": say("Total"),
        "opening_balance": say("Opening balance"),
        "closing_balance": say("Closing balance"),
        "brought_forward": say("Brought forward"),
        "billed_title": say("Billed in this period"),
        "invoices": say("Invoices"),
        "billed_note": say(
            "Payments here are those for the documents of this period, whatever their date, so "
            "they may differ from the payments made in the period."
        ),
        "open_items": say("Open items"),
        # Translators: the title of a box that says how long the open amounts have been due.
        "ageing": say("Open amounts by age"),
        "how_to_pay": say("How to pay"),
        "pay_now": say("Pay now"),
        "please_note": say("Please note"),
        "nothing_open": say("Nothing is open."),
        "in_favour_note": say("Balances below zero are in your favour."),
        "prepared": say("Prepared"),
        "preview": say("Preview"),
        # Translators: before the code of a PDF by which its figures can be checked.
        "verify": say("Check this statement"),
        # Translators: keep {page} and {pages} as they are.
        "page_of": say("Page {page} of {pages}"),
        "attached": say("The full statement is attached as a PDF."),
        "not_attached": say("The full statement could not be attached as a PDF this time."),
        # Translators: keep {text} as it is; it is what the PDF has instead.
        "replaced_text": say("Text that could not be printed there reads {text}."),
        "missing_letters": say("Some letters could not be printed there."),
        "reply": say("Questions? Just reply to this e-mail."),
    }
