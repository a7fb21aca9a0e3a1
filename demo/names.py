"""Names of the demo's businesses, customers and goods."""

FIRST_NAMES = (
    *("Abena", "Adjoa", "Afia", "Akosua", "Akua", "Ama", "Araba", "Efua", "Esi", "Yaa"),
    *("Kofi", "Kojo", "Kwabena", "Kwadwo", "Kwaku", "Kwame", "Kwasi", "Yaw", "Ebo", "Nii"),
    *("Naa", "Dede", "Mawuli", "Edem", "Selorm", "Dzifa", "Fuseini", "Mariama", "Rahinatu"),
)
LAST_NAMES = (
    *("Acheampong", "Adjei", "Agyeman", "Amankwah", "Ampofo", "Ansah", "Appiah", "Asante"),
    *("Boakye", "Boateng", "Danquah", "Darko", "Frimpong", "Gyasi", "Kusi", "Lamptey"),
    *("Mensah", "Nkrumah", "Nyarko", "Oduro", "Ofori", "Opoku", "Osei", "Owusu", "Quaye"),
    *("Sarpong", "Tetteh", "Wiredu", "Yeboah", "Amegashie", "Dogbe", "Iddrisu", "Alhassan"),
)
SHOPS = (
    *("Enterprise", "Textiles", "Fabrics", "Fashion House", "Boutique", "Stores", "Trading"),
    *("& Sons", "& Daughters", "Tailoring", "Kente Weavers", "Batik Works", "Linen Supply"),
)
TOWNS = (
    *("Makola, Accra", "Osu, Accra", "Madina, Accra", "Tema", "Kejetia, Kumasi", "Bonwire"),
    *("Takoradi", "Cape Coast", "Koforidua", "Ho", "Tamale", "Sunyani", "Bolgatanga", "Obuasi"),
)
STREETS = ("High Street", "Market Lane", "Station Road", "Ring Road", "Liberation Avenue")
CATEGORIES = ("Wholesale", "Retail shops", "Tailors", "Schools and churches", "Export")

CAFES = (
    *("Morgenrot", "Zum Anker", "Blaue Stunde", "Kiosk am Kanal", "Lindenhof", "Nordlicht"),
    *("Alte Post", "Hafenkante", "Sonnendeck", "Wintergarten", "Zur Brücke", "Schönhauser"),
)

# Customers of the wholesaler whose statements are in other languages, by their number.
ABROAD: dict[int, dict[str, str]] = {
    16: {
        "first_name": "Afi",
        "last_name": "Lawson",
        "phone_number": "+228 90 20 04 17",
        "business_name": "Tissus du Golfe SARL",
        "business_address": "12, rue du Commerce",
        "business_location": "Lomé",
        "business_email": "compta@tissus-du-golfe.example",
        "locale": "fr",
    },
    18: {
        "first_name": "ليلى",
        "last_name": "حسن",
        "phone_number": "+20 2 2000 0417",
        "business_name": "مؤسسة النيل للأقمشة",
        "business_address": "شارع طلعت حرب 21",
        "business_location": "القاهرة",
        "business_email": "accounts@nile-fabrics.example",
        "locale": "ar",
    },
}
